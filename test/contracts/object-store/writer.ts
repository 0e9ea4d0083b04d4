import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { createFilesystemObjectStore } from '#src/adapters/object-store/filesystem.ts';
import { objectKey } from '#src/domain/keys.ts';

/**
 * A process to be killed: overwrites, creates, copies and deletes objects without end and prints a line for each.
 * Every object carries the hash of its bytes.
 */
const [root = ''] = process.argv.slice(2);
const store = await createFilesystemObjectStore({
  root,
  publicUrl: 'http://store.test',
  signingKey: new Uint8Array(32),
  fsync: false,
});

async function write(worker: number): Promise<void> {
  for (let round = 0; ; round += 1) {
    const key = objectKey(`kill/${worker}/${round % 3}`);
    const bytes = randomBytes(200_000 + ((round * 77_777) % 1_500_000));
    const metadata = { sha256: createHash('sha256').update(bytes).digest('hex') };
    const body = round % 2 === 0 ? bytes : Readable.from(halves(bytes), { objectMode: false });
    await store.put(key, body, { contentType: 'application/octet-stream', metadata });
    await store.copy(key, objectKey(`kill/${worker}/copy`));
    if (round % 5 === 4) await store.delete(key);
    process.stdout.write('.\n');
  }
}

function* halves(bytes: Buffer): Generator<Buffer> {
  yield bytes.subarray(0, bytes.length / 2);
  yield bytes.subarray(bytes.length / 2);
}

await Promise.all([0, 1, 2, 3].map(write));
