import { fork } from 'node:child_process';
import { Readable } from 'node:stream';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { z } from 'zod';
import { createS3ObjectStore } from '#src/adapters/object-store/s3.ts';
import { createStorageService, type StorageService } from '#src/services/storage.service.ts';
import {
  cephServer,
  createTestBucket,
  type S3Server,
  type TestBucket,
  versityServer,
} from '#test/support/s3-server.ts';
import { optionsFor } from '#test/support/s3-store.ts';
import { median, print } from './support/client.ts';

/**
 * The storage service on S3, which hashes what passes, against the same calls of the SDK made bare: PutObject and GetObject
 * of 5 MB, lib-storage's Upload (8 MiB, four at once) and GetObject of 500 MB. In turns, in one run, on each server that
 * TEST_S3_… name (`test/services/{ceph-rgw,versitygw}.sh`). Then the memory of a process that streams 2 GB up and down.
 * `node bench/s3.ts [rounds of 5 MB] [rounds of 500 MB]`; with "memory" as first argument this file is that process.
 */
const MIB = 1024 ** 2;
const SMALL = 5 * MIB;
const LARGE = 500 * MIB;
const HUGE = 2048 * MIB;
/** Turns that are not counted. */
const WARM_UP = 2;

if (process.argv[2] === 'memory') await streamHuge(process.argv[3] ?? '');
else await main(Number(process.argv[2] ?? 30), Number(process.argv[3] ?? 3));

async function main(smallRounds: number, largeRounds: number): Promise<void> {
  const servers = [cephServer(), versityServer()].filter((server) => server !== null);
  if (servers.length === 0)
    throw new Error('Expected TEST_S3_… of test/services/ceph-rgw.sh or versitygw.sh');
  for (const server of servers) {
    const bucket = await createTestBucket(server);
    const store = await createS3ObjectStore(optionsFor(bucket));
    const storage = createStorageService({ store });
    const name = server.product.split(' ')[0]?.toLowerCase() ?? '';
    try {
      const small = Buffer.alloc(SMALL, 7);
      await compare(`${name}-upload-5mb`, SMALL, smallRounds, {
        bare: () => putBare(bucket, small),
        ours: () => storage.uploadFile(small, { key: 'temp/ours', contentType: 'a/b' }),
      });
      await compare(`${name}-download-5mb`, SMALL, smallRounds, {
        bare: () => getBare(bucket, 'temp/bare'),
        ours: () => getOurs(storage, 'temp/ours'),
      });
      await compare(`${name}-upload-500mb`, LARGE, largeRounds, {
        bare: () => uploadBare(bucket, LARGE),
        ours: () => storage.uploadFile(bytes(LARGE), { key: 'temp/ours', contentType: 'a/b' }),
      });
      await compare(`${name}-download-500mb`, LARGE, largeRounds, {
        bare: () => getBare(bucket, 'temp/bare'),
        ours: () => getOurs(storage, 'temp/ours'),
      });
      await memory(name, bucket);
    } finally {
      await store.close();
      await bucket.close();
    }
  }
}

/** Prints MB/s of both at their median, and the median of the ratios of each turn. */
async function compare(
  name: string,
  size: number,
  rounds: number,
  work: { bare: () => Promise<unknown>; ours: () => Promise<unknown> },
): Promise<void> {
  const rates: { bare: number; ours: number }[] = [];
  for (let round = -WARM_UP; round < rounds; round += 1) {
    // Who is first changes with every turn.
    const order = round % 2 === 0 ? (['bare', 'ours'] as const) : (['ours', 'bare'] as const);
    const rate = { bare: 0, ours: 0 };
    for (const who of order) {
      const started = performance.now();
      await work[who]();
      rate[who] = size / 1e6 / ((performance.now() - started) / 1000);
    }
    if (round >= 0) rates.push(rate);
  }
  print(name, {
    bare_mb_per_s: median(rates.map(({ bare }) => bare)),
    ours_mb_per_s: median(rates.map(({ ours }) => ours)),
    ratio: median(rates.map(({ bare, ours }) => ours / bare)),
  });
}

function putBare({ client, name }: TestBucket, body: Buffer): Promise<unknown> {
  return client.send(new PutObjectCommand({ Bucket: name, Key: 'temp/bare', Body: body }));
}

function uploadBare({ client, name }: TestBucket, size: number): Promise<unknown> {
  const params = { Bucket: name, Key: 'temp/bare', Body: bytes(size) };
  return new Upload({ client, params, partSize: 8 * MIB, queueSize: 4 }).done();
}

async function getBare({ client, name }: TestBucket, Key: string): Promise<void> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: name, Key }));
  if (!(Body instanceof Readable)) throw new Error('Expected a stream');
  await consume(Body);
}

async function getOurs(storage: StorageService, key: string): Promise<void> {
  const { body } = await storage.downloadFile(key);
  await consume(body);
}

function consume(body: Readable): Promise<void> {
  return new Promise((resolve, reject) => {
    body.on('data', () => {});
    body.once('end', resolve);
    body.once('error', reject);
  });
}

/** Chunks of 64 KiB, as sockets and files give them. */
function bytes(size: number): Readable {
  function* chunks(): Generator<Buffer> {
    for (let left = size; left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536), left & 255);
  }
  return Readable.from(chunks(), { objectMode: false });
}

const Peaks = z.object({ idle: z.number(), up: z.number(), down: z.number() });

/** RSS in MB of a process started as the service is, before, while it sends 2 GB and while it reads them. */
async function memory(name: string, bucket: TestBucket): Promise<void> {
  const child = fork(import.meta.filename, ['memory', bucket.name], {
    execArgv: ['--initial-old-space-size=256'],
    env: { ...process.env, BENCH_SERVER: bucket.server.product },
  });
  const peaks = await new Promise<z.output<typeof Peaks>>((resolve, reject) => {
    child.once('message', (message) => resolve(Peaks.parse(message)));
    child.once('exit', (code) => reject(new Error(`The process ended with ${code}`)));
  });
  print(`${name}-rss-2gb`, { idle_mb: peaks.idle, up_mb: peaks.up, down_mb: peaks.down });
  await bucket.client.send(new DeleteObjectCommand({ Bucket: bucket.name, Key: 'temp/huge' }));
}

async function streamHuge(name: string): Promise<void> {
  const server = [cephServer(), versityServer()].find(
    (known): known is S3Server => known?.product === process.env['BENCH_SERVER'],
  );
  if (server === undefined) throw new Error('Expected a server');
  const store = await createS3ObjectStore(optionsFor({ name, server }));
  const storage = createStorageService({ store });
  const idle = process.memoryUsage.rss() / 1e6;
  const up = await peakWhile(() => storage.uploadFile(bytes(HUGE), { key: 'temp/huge', contentType: 'a/b' }));
  const down = await peakWhile(() => getOurs(storage, 'temp/huge'));
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
