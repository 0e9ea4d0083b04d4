import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Photo } from '#src/http/schemas.ts';
import { multipart } from '#test/acceptance/client.ts';
import {
  expectDense,
  expectNoOrphans,
  distinctPhoto,
  storedKeys,
  until,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';
import { photoPath } from '#test/support/photos.ts';
import { startService } from '#test/support/service.ts';
import { type CrashingService, childrenOf, crashingService } from './crashing-service.ts';

let faulty: CrashingService;
beforeEach(async () => {
  faulty = await crashingService();
});
afterEach(() => faulty.close());

/** A delivery that was claimed by a process that died is claimed again after 20 s. */
const RECOVERY_MS = 90_000;
const ASYNC = { prefer: 'respond-async' };

async function upload(
  client: Awaited<ReturnType<CrashingService['start']>>['client'],
  token: string,
  item: string,
) {
  const { body, filename } = await distinctPhoto();
  const file = { name: filename, type: 'image/jpeg', bytes: body };
  return client.upload(`/v1/items/${item}/photos`, file, { token, headers: ASYNC });
}

function states() {
  return faulty.db.selectFrom('files').select(['id', 'state', 'stage']).orderBy('id').execute();
}

/** Every photo is ready with its seven objects, and nothing else lies in the store. */
async function expectAllReady(count: number) {
  const ids = (await states()).map((row) => row.id);
  expect(ids).toHaveLength(count);
  await until(
    'every photo to be ready',
    async () => ((await states()).every((row) => row.state === 'ready') ? true : null),
    RECOVERY_MS,
  );
  await faulty.sweepLater(1);
  await untilDelivered(faulty, RECOVERY_MS);
  await expectNoOrphans(faulty);
  const keys = await storedKeys(faulty);
  expect(keys.filter((key) => !key.startsWith('items/'))).toEqual([]);
  expect(keys).toHaveLength(count * 7);
}

test('kill -9 of the whole service in the middle of ten uploads: after a restart every photo is ready', async () => {
  const first = await faulty.start();
  const token = await first.client.token('seller-1');
  const item = await first.client.listing(token);
  const replies = await Promise.all(Array.from({ length: 10 }, () => upload(first.client, token, item)));
  expect(replies.map((reply) => reply.status)).toEqual(replies.map(() => 202));
  await until('some to be done and some not', async () =>
    (await states()).some((row) => row.state === 'published' || row.state === 'ready') ? true : null,
  );
  await first.service.kill9();
  expect((await states()).some((row) => row.state !== 'ready')).toBe(true);
  await faulty.start();
  await expectAllReady(10);
  await expectDense(faulty, item);
});

test('kill -9 while bytes are coming in: their places are free in minutes, the rest goes on', async () => {
  const first = await faulty.start();
  const token = await first.client.token('seller-1');
  const item = await first.client.listing(token);
  await upload(first.client, token, item);
  const cut = halfAnUpload(first.service.url, token, item);
  await until('a second row', async () => ((await states()).length === 2 ? true : null));
  await first.service.kill9();
  cut.destroy();
  const { client } = await faulty.start();
  await faulty.sweepLater(0.2);
  const gallery = await client.gallery(item, token);
  expect(gallery.photos).toHaveLength(1);
  await untilState(faulty, gallery.photos[0]?.id ?? '', 'ready');
  await faulty.sweepLater(1);
  await faulty.sweepLater(1);
  await expectNoOrphans(faulty);
  expect((await storedKeys(faulty)).filter((key) => key.startsWith('temp/'))).toEqual([]);
});

test('kill -9 at each step of the pipeline: the photo goes on where it was, and is whole', async () => {
  const wanted = ['decode', 'moderate', 'publish', 'derive'];
  const bytes = await readFile(photoPath('mountains.jpg'));
  let { service, client } = await faulty.start();
  const token = await client.token('seller-1');
  const item = await client.listing(token);
  const died = new Set<string | null>();
  for (const stage of wanted) {
    const mark = await distinctPhoto(stage);
    const withMark = Buffer.concat([
      bytes.subarray(0, 2),
      mark.body.subarray(2, 6 + stage.length),
      bytes.subarray(2),
    ]);
    const reply = await client.upload(
      `/v1/items/${item}/photos`,
      { name: 'x.jpg', type: 'image/jpeg', bytes: withMark },
      { token, headers: ASYNC },
    );
    const { id } = reply.as(Photo);
    await until(`stage ${stage}`, async () => {
      const row = (await states()).find((file) => file.id === id);
      return (row?.stage === stage && row.state !== 'received') || row?.state === 'ready' ? true : null;
    });
    await service.kill9();
    died.add((await states()).find((file) => file.id === id)?.stage ?? null);
    ({ service, client } = await faulty.start());
  }
  expect(died.size).toBeGreaterThanOrEqual(2);
  await expectAllReady(wanted.length);
});

test('a client that goes away in the middle of its upload leaves no place and no bytes', async () => {
  const { client, service } = await faulty.start();
  const token = await client.token('seller-1');
  const item = await client.listing(token);
  const cut = halfAnUpload(service.url, token, item);
  const [row] = await until('a row', async () => {
    const rows = await states();
    return rows.length === 1 ? rows : null;
  });
  cut.destroy();
  await untilState(faulty, row?.id ?? '', 'deleted');
  expect((await client.gallery(item, token)).photos).toEqual([]);
  expect(await storedKeys(faulty)).toEqual([]);
  await expectNoOrphans(faulty);
});

test('SIGTERM under load ends with 0 in time, and nothing is lost', async () => {
  const { client, service } = await faulty.start({ SHUTDOWN_MS: '3000' });
  const token = await client.token('seller-1');
  const item = await client.listing(token);
  await Promise.all(Array.from({ length: 8 }, () => upload(client, token, item)));
  const began = Date.now();
  expect(await service.stop(), service.output()).toBe(0);
  expect(Date.now() - began).toBeLessThan(15_000);
  await faulty.start();
  await expectAllReady(8);
});

test.skipIf(process.platform !== 'linux')(
  'kill -9 of an image process: its photo is tried again, the others go on',
  async () => {
    const { client, service } = await faulty.start();
    const token = await client.token('seller-1');
    const item = await client.listing(token);
    await Promise.all(Array.from({ length: 4 }, () => upload(client, token, item)));
    const children = await until('an image process', async () => {
      const found = await childrenOf(service.pid, 'src/images/');
      return found.length > 0 ? found : null;
    });
    for (const pid of children) process.kill(pid, 'SIGKILL');
    await expectAllReady(4);
    expect((await client.call('GET', '/readyz')).status).toBe(200);
  },
);

test('two starts on one data folder: the second says so and ends', async () => {
  const service = await startService();
  try {
    const second = await runToEnd(service.dataDir);
    expect(second.output).toMatch(/data folder|DATA_DIR/);
    expect(second.code).toBe(1);
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
    await service.kill9();
    const third = await startService({ dataDir: service.dataDir });
    expect((await fetch(`${third.url}/readyz`)).status).toBe(200);
    expect(await third.stop()).toBe(0);
  } finally {
    await service.stop();
  }
});

/** Starts the service on a data folder and waits for its end. */
async function runToEnd(dataDir: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['src/main.ts'], {
    env: { PATH: process.env['PATH'], DATA_DIR: dataDir, PORT: '0', HOST: '127.0.0.1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code: typeof code === 'number' ? code : null, output: output + errors };
}

/** A request that announces a photo and sends half of it. */
function halfAnUpload(url: string, token: string, item: string) {
  const form = multipart({ name: 'half.jpg', type: 'image/jpeg', bytes: Buffer.alloc(400_000, 1) });
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(
    [
      `POST /v1/items/${item}/photos HTTP/1.1`,
      `Host: ${hostname}:${port}`,
      `Authorization: Bearer ${token}`,
      `Content-Type: ${form.contentType}`,
      `Content-Length: ${form.body.length}`,
      '',
      '',
    ].join('\r\n'),
  );
  socket.write(form.body.subarray(0, 200_000));
  return socket;
}
