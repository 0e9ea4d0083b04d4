import { afterEach, describe, expect, test } from 'vitest';
import { createMemoryRateLimiter } from '#src/adapters/rate-limiter/memory.ts';
import { fileId } from '#src/domain/ids.ts';
import { Problem } from '#src/http/schemas.ts';
import type { RateLimiter } from '#src/ports/rate-limiter.ts';
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

const taking = doubles({
  getPhoto: async () => photo(),
  getPhotoUrl: async () => ({ url: 'https://cdn.example/x', expiresAt: new Date().toISOString() }),
  async uploadItemPhoto(_who, _item, file) {
    const { bytes } = await digest(file.body);
    return { status: 'created', duplicate: false, photo: photo({ bytes }) };
  },
});
const perMinute = (user: number, address: number) => testRates({ requestsPerMinute: { user, address } });

async function ask(service: TestService, token?: string, headers: Record<string, string> = {}) {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${service.url}/v1/photos/${PHOTO_ID}`, {
    headers: { ...authorization, ...headers },
  });
  await response.arrayBuffer();
  return response;
}

const limits = (response: Response) => [
  response.headers.get('ratelimit-policy'),
  response.headers.get('ratelimit')?.replace(/t=\d+/g, 't=…'),
];

describe('requests', () => {
  test('of one user are counted by the minute, whatever the address, and each answer says what is left', async () => {
    const service = await start({ ...taking, rates: perMinute(2, 1) });
    const token = await service.token('seller-1');
    const first = await ask(service, token);
    expect(first.status).toBe(200);
    expect(limits(first)).toEqual(['"user";q=2;w=60', '"user";r=1;t=…']);
    expect((await ask(service, token)).status).toBe(200);
    const refused = await ask(service, token);
    expect(refused.status).toBe(429);
    expect(limits(refused)).toEqual(['"user";q=2;w=60', '"user";r=0;t=…']);
    expect((await ask(service, await service.token('seller-2'))).status).toBe(200);
  });

  test('without a token are counted by address, of which a believed proxy tells', async () => {
    const service = await start({ ...taking, rates: perMinute(1, 2), trustProxy: 1 });
    const from = (address: string) => ask(service, undefined, { 'x-forwarded-for': address });
    expect([(await from('192.0.2.1')).status, (await from('192.0.2.1')).status]).toEqual([200, 200]);
    expect((await from('192.0.2.1')).status).toBe(429);
    expect((await from('192.0.2.2')).status).toBe(200);
    const statuses = [];
    for (const address of ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:db8:1:2::7', '2001:db8:1:3::1'])
      statuses.push((await from(address)).status);
    expect(statuses).toEqual([200, 200, 429, 200]);
  });

  test('of services, and for health, are not limited', async () => {
    const service = await start({ ...taking, rates: perMinute(1, 1) });
    const token = await service.token('backend', ['service']);
    for (let count = 0; count < 3; count++) expect((await ask(service, token)).status).toBe(200);
    for (let count = 0; count < 3; count++) expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
  });

  test('to a costly route have a smaller number, counted for that route alone', async () => {
    const service = await start({ ...taking, rates: testRates({ costlyPerMinute: 1 }) });
    const token = await service.token('seller-1');
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const sign = () =>
      fetch(`${service.url}/v1/photos/${PHOTO_ID}/signed-url`, { method: 'POST', headers, body: '{}' });
    const first = await sign();
    expect(first.status).toBe(200);
    expect(limits(first)).toEqual([
      '"user";q=10000;w=60, "route";q=1;w=60',
      '"user";r=9999;t=…, "route";r=0;t=…',
    ]);
    expect((await sign()).status).toBe(429);
    expect((await ask(service, token)).status).toBe(200);
  });

  test('that are refused are told when to come back, and are taken then', async () => {
    const minutes = createMemoryRateLimiter();
    // Minutes of a second, or the test would take one.
    const limiter: RateLimiter = {
      ...minutes,
      take: (limit, ...rest) => minutes.take({ ...limit, windowSeconds: 1 }, ...rest),
    };
    const rates = testRates({
      limiters: { requests: limiter, uploads: limiter },
      requestsPerMinute: { user: 1, address: 1 },
    });
    const service = await start({ ...taking, rates });
    const token = await service.token('seller-1');
    await ask(service, token);
    const asked = performance.now();
    const refused = await ask(service, token);
    expect(refused.headers.get('retry-after')).toBe('1');
    await expect
      .poll(async () => (await ask(service, token)).status, { interval: 20, timeout: 3_000 })
      .toBe(200);
    expect(performance.now() - asked).toBeLessThan(1_100);
  });
});

describe('the bytes of uploads', () => {
  const KIB = 1024;
  const send = async (service: TestService, token: string, bytes: number) => {
    const body = new FormData();
    body.append('file', new Blob([Buffer.alloc(bytes, 1)]), 'a.jpg');
    const headers = { authorization: `Bearer ${token}` };
    return fetch(`${service.url}/v1/items/item-1/photos`, { method: 'POST', body, headers });
  };

  test('are counted by the hour: what is too large is refused, what still fits is not', async () => {
    const service = await start({ ...taking, rates: testRates({ uploadBytesPerHour: 1000 * KIB }) });
    const token = await service.token('seller-1');
    expect((await send(service, token, 600 * KIB)).status).toBe(201);
    const refused = await send(service, token, 600 * KIB);
    expect(refused.status).toBe(429);
    expect(Problem.parse(await refused.json())).toMatchObject({
      code: 'RATE_LIMITED',
      detail: 'At most 1024000 bytes may be sent within an hour; go on later.',
    });
    const retryAfter = Number(refused.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThan(3500);
    expect(retryAfter).toBeLessThanOrEqual(3600);
    expect((await send(service, token, 300 * KIB)).status).toBe(201);
    expect((await send(service, await service.token('seller-2'), 600 * KIB)).status).toBe(201);
  });

  test('that were announced and did not come are given back', async () => {
    const service = await start({ ...taking, rates: testRates({ uploadBytesPerHour: 1024 * KIB }) });
    const token = await service.token('seller-1');
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=x' };
    // Without a length it may be as long as any, which is the whole hour.
    const body = new Blob([
      '--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n--x--\r\n',
    ]).stream();
    const init: RequestInit & { duplex: 'half' } = { method: 'POST', headers, body, duplex: 'half' };
    expect((await fetch(`${service.url}/v1/items/item-1/photos`, init)).status).toBe(201);
    expect((await send(service, token, 900 * KIB)).status).toBe(201);
    expect((await send(service, token, 900 * KIB)).status).toBe(429);
  });

  test('are counted when they are reserved', async () => {
    const reserving = doubles({
      reserveUpload: async () => ({
        id: fileId(PHOTO_ID),
        direct: { url: 'https://store.example', fields: {} },
      }),
    });
    const service = await start({ ...reserving, rates: testRates({ uploadBytesPerHour: 1500 * KIB }) });
    const token = await service.token('seller-1');
    const statuses = [];
    for (const bytes of [1000 * KIB, 1000 * KIB, 400 * KIB]) {
      const response = await fetch(`${service.url}/v1/uploads`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          kind: 'item_photo',
          itemId: 'item-1',
          filename: 'a.jpg',
          bytes,
          type: 'image/jpeg',
        }),
      });
      statuses.push(response.status);
    }
    expect(statuses).toEqual([201, 429, 201]);
  });
});
