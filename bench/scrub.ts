import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { v7 } from 'uuid';
import { objectPath } from '#src/adapters/object-store/filesystem/paths.ts';
import { type Composition, compose } from '#src/app/compose.ts';
import { startWorker } from '#src/app/worker.ts';
import { addressesOf, loadConfig } from '#src/config/index.ts';
import { fileId, itemId } from '#src/domain/ids.ts';
import { type ObjectKey, publicKey } from '#src/domain/keys.ts';
import { isOver } from '#src/domain/runs.ts';
import type { Run } from '#src/services/runs.service.ts';
import { silentLog } from '#test/support/silent-log.ts';
import { median, print } from './support/client.ts';

/**
 * A scrub of N objects of B kilobytes on the file system: bytes a second beside reading and hashing the same files by hand,
 * and how much memory grows meanwhile. `node bench/scrub.ts [objects] [kilobytes] [rounds]`
 */
const [count = 5000, kilobytes = 100, rounds = 3] = process.argv.slice(2).map(Number);
const ADMIN = { userId: 'bench', roles: ['admin'] } as const;

const dataDir = await mkdtemp(join(tmpdir(), 'localex-bench-'));
const config = loadConfig({
  DATA_DIR: dataDir,
  STORAGE_FSYNC: 'false',
  SCRUB_BYTES_PER_SECOND: '10 GiB',
  SCRUB_EVERY_HOURS: '0',
  SCRUB_READ_ALL_DAYS: '0',
});
const parts = await compose(config, addressesOf(config, 1), silentLog);
const worker = await startWorker(config, parts);
try {
  const keys = await fill(parts);
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const bare = await timed(() => readByHand(keys));
    const before = process.memoryUsage.rss();
    const peak = watchPeak();
    const deep = await timed(() => scrub(true));
    const grown = (await peak.stop()) - before;
    const look = await timed(() => scrub(false));
    const megabytes = (count * kilobytes) / 1000;
    ratios.push(bare.seconds / deep.seconds);
    print('scrub-deep', {
      mb_per_s: megabytes / deep.seconds,
      by_hand_mb_per_s: megabytes / bare.seconds,
      ratio: bare.seconds / deep.seconds,
      cpu_ms_per_object: deep.cpuMs / count,
    });
    print('scrub-deep-memory', { rss_before_mb: before / 1e6, grown_mb: grown / 1e6, objects: count });
    print('scrub-look', { objects_per_s: count / look.seconds, cpu_ms_per_object: look.cpuMs / count });
  }
  print('scrub-deep-median', { ratio: median(ratios) });
} finally {
  await worker.close();
  for (const phase of parts.phases) await phase.run();
  await rm(dataDir, { recursive: true, force: true });
}

/** Photos of one rendition each, as rows and as files. */
async function fill({ db, storage }: Composition): Promise<ObjectKey[]> {
  await db.insertInto('items').values({ id: 'bench', seller_id: 'bench', title: 'A thing' }).execute();
  await sql`alter table files disable trigger user`.execute(db);
  const made: ObjectKey[] = [];
  for (let index = 0; index < count; index += 1) {
    const id = fileId(v7());
    const body = randomBytes(kilobytes * 1000);
    const sha256 = createHash('sha256').update(body).digest('hex');
    const hash12 = sha256.slice(0, 12);
    const key = publicKey({
      kind: 'item_photo',
      variant: 'large',
      scope: itemId('bench'),
      fileId: id,
      hash12,
      format: 'jpeg',
    });
    await storage.uploadFile(body, { key, contentType: 'image/jpeg' });
    const file = { id, kind: 'item_photo', item_id: 'bench', owner_id: 'bench', filename: 'x.jpg' } as const;
    await db
      .insertInto('files')
      .values({ ...file, state: 'ready' })
      .execute();
    const report = { clean: true, findings: [], width: 1, height: 1, format: 'jpeg' };
    const variant = { file_id: id, name: 'large', format: 'jpeg', key, width: 1, height: 1 } as const;
    await db
      .insertInto('variants')
      .values({ ...variant, bytes: body.length, sha256, report: JSON.stringify(report) })
      .execute();
    await db.insertInto('objects').values({ key, file_id: id, state: 'live' }).execute();
    made.push(key);
  }
  await sql`alter table files enable trigger user`.execute(db);
  return made;
}

async function readByHand(keys: readonly ObjectKey[]): Promise<void> {
  for (const key of keys)
    createHash('sha256')
      .update(await readFile(objectPath(join(dataDir, 'objects'), key)))
      .digest();
}

async function scrub(deep: boolean): Promise<void> {
  const { id } = await parts.runs.start(ADMIN, 'scrub', { deep }, { dryRun: false });
  for (;;) {
    const { run }: { run: Run } = await parts.runs.get(ADMIN, id, { limit: 1 });
    if (isOver(run.state)) {
      const result = JSON.stringify(run.result);
      if (!result.includes(`"checked":${count},`) || !result.includes('"damaged":0'))
        throw new Error(`Expected all ${count} objects to be right but received ${result}`);
      return;
    }
    await pause(5);
  }
}

async function timed(work: () => Promise<void>): Promise<{ seconds: number; cpuMs: number }> {
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - began) / 1000, cpuMs: (user + system) / 1000 };
}

function watchPeak(): { stop(): Promise<number> } {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  return {
    async stop() {
      clearInterval(timer);
      return peak;
    },
  };
}
