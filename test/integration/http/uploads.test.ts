import { request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { fileId } from '#src/domain/ids.ts';
import { startHttp, testRates, type TestService } from './http-service.ts';
import { digest, doubles, PHOTO_ID, photo } from './service-doubles.ts';

const open: TestService[] = [];
const start = async (...change: Parameters<typeof startHttp>) => {
  const service = await startHttp(...change);
  open.push(service);
  return service;
};
afterEach(async () => {
  for (const service of open.splice(0)) await service.close();
});

const LIMITS = {
  maxFileSize: 1024 * 1024,
  concurrentUploads: 4,
  bodyTimeoutMs: 10_000,
};

async function upload(
  service: TestService,
  token: string,
  bytes = 1000,
  headers: Record<string, string> = {},
) {
  const body = new FormData();
  body.append('note', 'ignored');
  body.append('file', new Blob([Buffer.alloc(bytes, 1)]), 'a.jpg');
  return fetch(`${service.url}/v1/items/item-1/photos`, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
}

describe('uploads', () => {
  const taking = doubles({
    async uploadItemPhoto(_who, _item, file) {
      const { bytes } = await digest(file.body);
      return { status: 'created', duplicate: false, photo: photo({ bytes }) };
    },
  });

  test('reach the service as a stream, and the connection is used again', async () => {
    const service = await start(taking);
    const response = await upload(service, await service.token('seller-1'), 500_000);
    expect(response.status).toBe(201);
    expect(response.headers.get('connection')).toBe('keep-alive');
    expect(await response.json()).toMatchObject({ bytes: 500_000 });
  });

  test('one byte over the limit are refused, those of exactly the limit are not', async () => {
    const service = await start(taking);
    const token = await service.token('seller-1');
    expect((await upload(service, token, LIMITS.maxFileSize)).status).toBe(201);
    const response = await upload(service, token, LIMITS.maxFileSize + 1);
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ code: 'FILE_TOO_LARGE' });
  });

  test('of one caller are counted by the minute, those of another are not', async () => {
    const service = await start({ ...taking, rates: testRates({ uploadsPerMinute: 2 }) });
    const token = await service.token('seller-1');
    const statuses = [];
    for (let count = 0; count < 3; count++) statuses.push((await upload(service, token)).status);
    expect(statuses).toEqual([201, 201, 429]);
    const limited = await upload(service, token);
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await upload(service, await service.token('seller-2'))).status).toBe(201);
  });

  test('wait for each other past the number at one time, and all succeed', async () => {
    let running = 0;
    let most = 0;
    const counting = doubles({
      async uploadItemPhoto(_who, _item, file) {
        running += 1;
        most = Math.max(most, running);
        const { bytes } = await digest(file.body);
        running -= 1;
        return { status: 'accepted', duplicate: false, photo: photo({ bytes }) };
      },
    });
    const service = await start({ ...counting, limits: { ...LIMITS, concurrentUploads: 2 } });
    const token = await service.token('seller-1');
    const replies = await Promise.all(Array.from({ length: 12 }, () => upload(service, token, 100_000)));
    expect(replies.map((reply) => reply.status)).toEqual(Array(12).fill(202));
    expect(most).toBeLessThanOrEqual(2);
  });

  test('of a client that goes away are cancelled', async () => {
    const { promise: began, resolve: begin } = Promise.withResolvers<AbortSignal | undefined>();
    const { promise: failed, resolve: fail } = Promise.withResolvers<unknown>();
    const service = await start(
      doubles({
        async uploadItemPhoto(_who, _item, file, { signal }) {
          begin(signal);
          await digest(file.body).catch((error: unknown) => {
            fail(error);
            throw error;
          });
          return { status: 'created', duplicate: false, photo: photo() };
        },
      }),
    );
    const req = request(`${service.url}/v1/items/item-1/photos`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await service.token('seller-1')}`,
        'content-type': 'multipart/form-data; boundary=x',
      },
    });
    req.on('error', () => undefined);
    req.write('--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\nabc');
    const signal = await began;
    req.destroy();
    expect(await failed).toBeInstanceOf(Error);
    await expect.poll(() => signal?.aborted).toBe(true);
  });
});

describe('a reservation', () => {
  const reserving = doubles({ reserveUpload: async () => ({ id: fileId(PHOTO_ID), direct: null }) });

  test.each([
    ['image/jpeg', 201],
    ['image/HEIC', 201],
    ['image/avif', 201],
    ['application/octet-stream', 201],
    ['', 201],
    ['image/gif', 415],
    ['image/svg+xml', 415],
    ['video/mp4', 415],
    ['application/pdf', 415],
  ])('for a file that claims to be "%s" is answered with %i', async (type, status) => {
    const service = await start(reserving);
    const response = await fetch(`${service.url}/v1/uploads`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await service.token('seller-1')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ kind: 'item_photo', itemId: 'item-1', filename: 'a', bytes: 10, type }),
    });
    expect(response.status).toBe(status);
  });
});
