import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import { fileId } from '#src/domain/ids.ts';
import { startTusSweep } from '#src/http/tus-sweep.ts';
import { createTusUploads, TUS_LIFETIME_MS } from '#src/http/tus-uploads.ts';
import { recordingLog } from '#test/support/recording-log.ts';
import { silentLog } from '#test/support/silent-log.ts';
import { startHttp } from './http-service.ts';
import { doubles, PHOTO_ID } from './service-doubles.ts';

const id = fileId(PHOTO_ID);
const UPLOAD = { bytes: 10, filename: 'a.jpg', type: 'image/jpeg' };
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'localex-tus-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('a resumable upload is swept away after a day, and not before', async () => {
  const tus = createTusUploads({ directory, files: doubles().files, log: silentLog });
  await tus.create(id, UPLOAD);
  expect(await tus.sweep(new Date(Date.now() + TUS_LIFETIME_MS - 60_000))).toBe(0);
  expect(await tus.has(id)).toBe(true);
  expect(await tus.sweep(new Date(Date.now() + TUS_LIFETIME_MS + 60_000))).toBe(1);
  expect(await tus.has(id)).toBe(false);
  expect(await readdir(directory)).toEqual([]);
});

test('the sweep begins at once, goes on after a failure, and ends when it is closed', async () => {
  let rounds = 0;
  const tus = {
    async sweep() {
      rounds += 1;
      if (rounds === 1) throw new Error('the disk is away');
      return 0;
    },
  };
  const log = recordingLog();
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const sweep = startTusSweep(tus, 60_000, log);
    expect(rounds).toBe(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(rounds).toBe(2);
    expect(log.lines).toMatchObject([{ level: 'warn' }]);
    await sweep.close();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(rounds).toBe(2);
  } finally {
    vi.useRealTimers();
  }
});

test('a process that listens removes old uploads, whatever else it does', async () => {
  const tusDir = join(directory, 'tus');
  const before = createTusUploads({ directory: tusDir, files: doubles().files, log: silentLog });
  await before.create(id, UPLOAD);
  const config = join(tusDir, `${id}.json`);
  const old = new Date(Date.now() - TUS_LIFETIME_MS - 60_000).toISOString();
  await writeFile(
    config,
    JSON.stringify({ ...JSON.parse(await readFile(config, 'utf8')), creation_date: old }),
  );
  const service = await startHttp({ tusDir });
  try {
    await expect.poll(() => readdir(tusDir)).toEqual([]);
  } finally {
    await service.close();
  }
});

test('the folder of resumable uploads is open to nobody else, even if it was', async () => {
  const tusDir = join(directory, 'tus');
  await mkdir(tusDir, { mode: 0o755 });
  createTusUploads({ directory: tusDir, files: doubles().files, log: silentLog });
  expect((await stat(tusDir)).mode & 0o777).toBe(0o700);
});

test('an upload is given up only once its reservation is gone', async () => {
  const events: string[] = [];
  let failing = true;
  const service = await startHttp(
    doubles({
      getReservation: async () => ({ id, ownerId: 'seller-1', bytes: UPLOAD.bytes, type: UPLOAD.type }),
      async deletePhoto() {
        if (failing) throw new StorageError('DATABASE_UNAVAILABLE');
        events.push('reservation gone');
      },
      reserveUpload: async () => ({ id, direct: null }),
    }),
  );
  try {
    const headers = {
      authorization: `Bearer ${await service.token('seller-1')}`,
      'tus-resumable': '1.0.0',
    };
    await fetch(`${service.url}/v1/uploads`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'item_photo', itemId: 'item-1', ...UPLOAD }),
    });
    const giveUp = async () => {
      const response = await fetch(`${service.url}/v1/uploads/tus/${id}`, { method: 'DELETE', headers });
      events.push(String(response.status));
    };
    const offset = async () =>
      (await fetch(`${service.url}/v1/uploads/tus/${id}`, { method: 'HEAD', headers })).status;
    await giveUp();
    expect(await offset()).toBe(200);
    failing = false;
    await giveUp();
    expect(await offset()).toBe(404);
    expect(events).toEqual(['503', 'reservation gone', '204']);
  } finally {
    await service.close();
  }
});

test('what the protocol refuses names the request, as every problem does', async () => {
  const service = await startHttp(
    doubles({
      getReservation: async () => ({ id, ownerId: 'seller-1', bytes: UPLOAD.bytes, type: UPLOAD.type }),
      reserveUpload: async () => ({ id, direct: null }),
    }),
  );
  try {
    const headers = { authorization: `Bearer ${await service.token('seller-1')}` };
    await fetch(`${service.url}/v1/uploads`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'item_photo', itemId: 'item-1', ...UPLOAD }),
    });
    const refused = await fetch(`${service.url}/v1/uploads/tus/${id}`, { method: 'PATCH', headers });
    expect(refused.status).toBe(412);
    expect(await refused.json()).toMatchObject({
      instance: `urn:request:${refused.headers.get('x-request-id')}`,
    });
  } finally {
    await service.close();
  }
});
