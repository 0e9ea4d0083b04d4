import { fork } from 'node:child_process';
import { Readable } from 'node:stream';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { z } from 'zod';
import { createS3ObjectStore } from '#src/adapters/object-store/s3.ts';
import { objectKey } from '#src/domain/keys.ts';
import { createStorageService, type StorageService } from '#src/services/storage.service.ts';
import { cephServer, createTestBucket, type S3Server, versityServer } from '#test/support/s3-server.ts';
import { optionsFor } from '#test/support/s3-store.ts';
import { median, print } from './support/client.ts';

/**
 * S3 against the same calls of the SDK made bare, with the same checksums: PutObject and GetObject of 5 MB, lib-storage's
 * Upload (8 MiB, four at once) and GetObject of 500 MB; by the adapter, and by the storage service, which hashes what passes.
 * In turns, in one run, on each server that TEST_S3_… name (`test/services/{ceph-rgw,versitygw}.sh`). Then the memory of a
 * process that streams 2 GB up and down, on versitygw: Ceph keeps its objects in memory here.
 * `node --initial-old-space-size=256 bench/s3.ts [rounds of 5 MB] [rounds of 500 MB]`, as `npm start` starts the service;
 * with "memory" as first argument this file is that process.
 */
const MIB = 1024 ** 2;
const SMALL = 5 * MIB;
const LARGE = 500 * MIB;
const HUGE = 2048 * MIB;
/** Turns that are not counted. */
const WARM_UP = 2;
const CHUNK = Buffer.alloc(65_536, 7);

const Peaks = z.object({ idle: z.number(), up: z.number(), down: z.number() });

if (process.argv[2] === 'memory') await streamHuge(process.argv[3] ?? '');
else await main(Number(process.argv[2] ?? 30), Number(process.argv[3] ?? 3));

async function main(smallRounds: number, largeRounds: number): Promise<void> {
  const servers = [cephServer(), versityServer()].filter((server) => server !== null);
  if (servers.length === 0)
    throw new Error('Expected TEST_S3_… of test/services/ceph-rgw.sh or versitygw.sh');
  for (const server of servers) await onServer(server, smallRounds, largeRounds);
}

async function onServer(server: S3Server, smallRounds: number, largeRounds: number): Promise<void> {
  const bucket = await createTestBucket(server);
  const options = optionsFor(bucket);
  const checksums = options.checksums === 'when-supported' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED';
  const client = new S3Client({
    endpoint: server.endpoint,
    region: server.region,
    credentials: server.credentials,
    forcePathStyle: true,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
  });
  const store = await createS3ObjectStore(options);
  const storage = createStorageService({ store });
  const name = server.product.split(' ')[0]?.toLowerCase() ?? '';
  const at = { Bucket: bucket.name, Key: 'temp/bare' };
  const key = objectKey('temp/ours');
  const small = Buffer.alloc(SMALL, 7);
  const described = { key, contentType: 'image/jpeg' };
  const download = {
    bare: async () => consume((await client.send(new GetObjectCommand(at))).Body),
    adapter: async () => consume((await store.get(key)).body),
    service: async () => consume((await storage.downloadFile(key)).body),
  };
  try {
    await compare(`${name}-upload-5mb`, SMALL, smallRounds, {
      bare: () => client.send(new PutObjectCommand({ ...at, Body: small })),
      adapter: () => store.put(key, small, described),
      service: () => storage.uploadFile(small, described),
    });
    await compare(`${name}-download-5mb`, SMALL, smallRounds, download);
    await compare(`${name}-upload-500mb`, LARGE, largeRounds, {
      bare: () =>
        new Upload({ client, params: { ...at, Body: bytes(LARGE) }, partSize: 8 * MIB, queueSize: 4 }).done(),
      adapter: () => store.put(key, bytes(LARGE), described),
      service: () => storage.uploadFile(bytes(LARGE), described),
    });
    await compare(`${name}-download-500mb`, LARGE, largeRounds, download);
    if (server.product === 'versitygw') await memory(bucket.name);
  } finally {
    client.destroy();
    await store.close();
    await bucket.close();
  }
}

/** Prints MB/s of each at its median, and the median of the ratios to the bare one of its turn. */
async function compare(
  name: string,
  size: number,
  rounds: number,
  work: Readonly<Record<'bare' | 'adapter' | 'service', () => Promise<unknown>>>,
): Promise<void> {
  const names = ['bare', 'adapter', 'service'] as const;
  const turns: Record<(typeof names)[number], number>[] = [];
  for (let round = -WARM_UP; round < rounds; round += 1) {
    const rate = { bare: 0, adapter: 0, service: 0 };
    // Who is first changes with every turn.
    for (let index = 0; index < names.length; index += 1) {
      const who = names[(index + round + WARM_UP) % names.length] ?? 'bare';
      const started = performance.now();
      await work[who]();
      rate[who] = size / 1e6 / ((performance.now() - started) / 1000);
    }
    if (round >= 0) turns.push(rate);
  }
  print(name, {
    bare_mb_per_s: median(turns.map(({ bare }) => bare)),
    adapter: median(turns.map(({ bare, adapter }) => adapter / bare)),
    service: median(turns.map(({ bare, service }) => service / bare)),
  });
}

function consume(body: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    if (!(body instanceof Readable)) throw new TypeError('Expected a stream');
    body.on('data', () => {});
    body.once('end', resolve);
    body.once('error', reject);
  });
}

/** The same chunk again and again, so that only the memory of who sends it is seen. */
function bytes(size: number): Readable {
  function* chunks(): Generator<Buffer> {
    for (let left = size; left > 0; left -= CHUNK.length) yield CHUNK.subarray(0, left);
  }
  return Readable.from(chunks(), { objectMode: false });
}

/** RSS in MB of a process of its own: before, while it sends 2 GB and while it reads them. */
async function memory(bucket: string): Promise<void> {
  const child = fork(import.meta.filename, ['memory', bucket], {
    env: { ...process.env, MALLOC_ARENA_MAX: '1' },
  });
  const peaks = await new Promise<z.output<typeof Peaks>>((resolve, reject) => {
    child.once('message', (message) => resolve(Peaks.parse(message)));
    child.once('exit', (code) => reject(new Error(`The process ended with ${code}`)));
  });
  print('rss-2gb', { idle_mb: peaks.idle, up_mb: peaks.up, down_mb: peaks.down });
}

async function streamHuge(name: string): Promise<void> {
  const server = versityServer();
  if (server === null) throw new Error('Expected TEST_S3_SECOND_ENDPOINT');
  const store = await createS3ObjectStore(optionsFor({ name, server }));
  const storage: StorageService = createStorageService({ store });
  const idle = process.memoryUsage.rss() / 1e6;
  const up = await peakWhile(() => storage.uploadFile(bytes(HUGE), { key: 'temp/huge', contentType: 'a/b' }));
  const down = await peakWhile(async () => consume((await storage.downloadFile('temp/huge')).body));
  await storage.deleteFile('temp/huge');
  await store.close();
  process.send?.({ idle, up, down });
}

/** The largest RSS in MB, looked at every 20 ms. */
async function peakWhile(work: () => Promise<unknown>): Promise<number> {
  let peak = 0;
  const look = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss() / 1e6)), 20);
  await work();
  clearInterval(look);
  return peak;
}
