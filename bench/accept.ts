import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readdir, rm, unlink } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fork } from 'node:child_process';
import { z } from 'zod';
import { startEmbeddedPostgres } from '#src/app/embedded-postgres/index.ts';
import { largePhoto } from '#test/support/large-photo.ts';
import { startService } from '#test/support/service.ts';
import { formOf, inParallel, median, print, seller, send } from './support/client.ts';
import { cpuMs, processTree } from './support/processes.ts';

/**
 * Accepting 4.8 MB bodies at 50 connections: hash, rows and temporary object, without the image work (a process with
 * `ROLES=http`), against a bare Node server that writes and hashes the body and knows no rows. In turns, in one run.
 * `node bench/accept.ts [uploads] [rounds]`; with "bare" as first argument this file is that server.
 */
/** Turns that are not counted: the first few hundred uploads still compile. */
const WARM_UP = 3;

if (process.argv[2] === 'bare') await serveBare();
else await main(Number(process.argv[2] ?? 200), Number(process.argv[3] ?? 3));

async function main(uploads: number, rounds: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'localex-bench-'));
  const postgres = await startEmbeddedPostgres({ dataDir: folder });
  const { user, host, database, port } = postgres.connection;
  const databaseUrl = `postgresql://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`;
  const shared = {
    DATABASE_URL: databaseUrl,
    ROLES: 'http',
    LOG_LEVEL: 'error',
    UPLOADS_PER_MINUTE: '100000',
    UPLOAD_BYTES_PER_HOUR: '1 TiB',
    REQUESTS_PER_MINUTE_PER_USER: '1000000',
  };
  const relaxed = await startService({ env: { ...shared, STORAGE_FSYNC: 'false' } });
  const durable = await startService({ env: shared });
  const bare = await startBare();
  try {
    const forms: ReturnType<typeof formOf>[] = [];
    for (let index = 0; index < 50; index++) forms.push(formOf(await largePhoto(index)));
    const results: Record<'relaxed' | 'durable' | 'bare', { rate: number; cpu: number }[]> = {
      relaxed: [],
      durable: [],
      bare: [],
    };
    for (let round = -WARM_UP; round < rounds; round++) {
      const turn = {
        bare: await measure(
          bare.pid,
          uploads,
          (index) => send('POST', bare.url, {}, forms[index % forms.length]?.body),
          200,
        ),
        relaxed: await measureService(relaxed, uploads, round, forms),
        durable: await measureService(durable, uploads, round, forms),
      };
      if (round < 0) continue;
      results.bare.push(turn.bare);
      results.relaxed.push(turn.relaxed);
      results.durable.push(turn.durable);
    }
    for (const [name, turns] of Object.entries(results))
      print(`accept-5mb-${name}`, {
        uploads_per_s: median(turns.map((turn) => turn.rate)),
        cpu_ms: median(turns.map((turn) => turn.cpu)),
      });
    const ratio = (name: 'relaxed' | 'durable') =>
      median(results[name].map((turn, index) => turn.rate / (results.bare[index]?.rate ?? Number.NaN)));
    print('accept-5mb-without-fsync/bare', { ratio: ratio('relaxed') });
    print('accept-5mb-with-fsync/bare', { ratio: ratio('durable') });
  } finally {
    await bare.stop();
    await relaxed.stop();
    await durable.stop();
    await postgres.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureService(
  service: { url: string; pid: number; dataDir: string },
  uploads: number,
  round: number,
  forms: readonly { contentType: string; body: Buffer }[],
) {
  const sellers = await Promise.all(
    Array.from({ length: uploads }, (_, index) => seller(service.url, `r${round + WARM_UP}-${index}`)),
  );
  const turn = await measure(
    service.pid,
    uploads,
    (index) => {
      const form = forms[index % forms.length];
      const { authorization = '', itemId = '' } = sellers[index] ?? {};
      return send(
        'POST',
        `${service.url}/v1/items/${itemId}/photos`,
        { authorization, 'content-type': form?.contentType ?? '', prefer: 'respond-async' },
        form?.body,
      );
    },
    202,
  );
  // The bare server removes what it wrote, too: every turn writes into warm memory.
  await rm(join(service.dataDir, 'objects', 'temp~', 'uploads~'), { recursive: true, force: true });
  return turn;
}

async function measure(
  pid: number,
  uploads: number,
  one: (index: number) => ReturnType<typeof send>,
  expected: number,
) {
  const cpuBefore = await cpuMs(await processTree(pid));
  const started = performance.now();
  await inParallel(uploads, 50, async (index) => {
    const answer = await one(index);
    if (answer.status !== expected)
      throw new Error(`Expected ${expected} but received ${answer.status}: ${answer.body.slice(0, 300)}`);
  });
  const seconds = (performance.now() - started) / 1000;
  return { rate: uploads / seconds, cpu: ((await cpuMs(await processTree(pid))) - cpuBefore) / uploads };
}

async function startBare() {
  const child = fork(import.meta.filename, ['bare']);
  const url = await new Promise<string>((resolve) =>
    child.once('message', (message) => resolve(z.string().parse(message))),
  );
  return {
    url,
    pid: child.pid ?? -1,
    stop: () =>
      new Promise<void>((resolve) => {
        child.once('exit', () => resolve());
        child.kill();
      }),
  };
}

/** What nothing can be below: body to a file, SHA-256 on the way, no form, no rows. */
async function serveBare(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'localex-bare-'));
  const server = createServer((req, res) => {
    const hash = createHash('sha256');
    req.on('data', (chunk: Buffer) => hash.update(chunk));
    const path = join(folder, randomUUID());
    void keep(req, path, () => res.end(hash.digest('hex')));
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') process.send?.(`http://127.0.0.1:${address.port}/`);
  });
  process.once('SIGTERM', () => {
    void readdir(folder)
      .then(() => rm(folder, { recursive: true, force: true }))
      .then(() => process.exit(0));
  });
}

async function keep(body: IncomingMessage, path: string, answer: () => void): Promise<void> {
  await pipeline(body, createWriteStream(path));
  answer();
  await unlink(path);
}
