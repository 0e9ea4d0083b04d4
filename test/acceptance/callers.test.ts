import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { htmlNamedJpg } from '#test/support/hostile.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { type Client, clientOf, expectNoObjects, expectProblem } from './client.ts';

let service: RunningService;
let client: Client;
let seller: string;
let itemId: string;
let photos: string;

beforeAll(async () => {
  service = await startService({
    env: { LOG_LEVEL: 'warn', UPLOADS_PER_MINUTE: '1000' },
  });
  client = clientOf(service.url);
  seller = await client.token('seller-1', 'seller');
  itemId = await client.listing(seller);
  photos = `/v1/items/${itemId}/photos`;
});
afterAll(() => service.stop());
afterEach(async () => {
  expect((await client.gallery(itemId)).photos).toEqual([]);
  await expectNoObjects(service.dataDir);
});

describe('a caller', () => {
  const file = htmlNamedJpg();
  const tokenWith = (
    claims: object,
    key = 'no key of ours',
    header: object = { alg: 'HS256', typ: 'JWT' },
  ) => {
    const text = [header, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
  };

  test('without a token is asked for one', async () => {
    const reply = await client.upload(photos, file);
    expectProblem(reply, 401, 'UNAUTHENTICATED');
    expect(reply.headers.get('www-authenticate')).toBe('Bearer realm="localex-storage"');
  });

  test('with a forged token is refused', async () => {
    const exp = Math.floor(Date.now() / 1000) + 600;
    const claims = {
      sub: 'seller-1',
      roles: ['seller', 'admin'],
      exp,
      iss: 'localex-storage-dev',
      aud: 'localex-storage-dev',
    };
    const [header = '', , signature = ''] = seller.split('.');
    const swapped = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${swapped.split('.')[1]}.`;
    for (const token of [tokenWith(claims), swapped, unsigned, 'nonsense', tokenWith(claims, '')]) {
      const reply = await client.upload(photos, file, { token });
      expectProblem(reply, 401, 'UNAUTHENTICATED');
      expect(reply.headers.get('www-authenticate')).toContain('error="invalid_token"');
    }
  });

  test('on somebody else’s listing is refused', async () => {
    const other = await client.token('seller-2', 'seller');
    expectProblem(await client.upload(photos, file, { token: other }), 403, 'FORBIDDEN');
    expectProblem(await client.call('DELETE', photos, { token: other }), 403, 'FORBIDDEN');
    const json = { order: [] };
    expectProblem(await client.call('PUT', `${photos}/order`, { token: other, json }), 403, 'FORBIDDEN');
    const reserve = { kind: 'item_photo', itemId, filename: 'a.jpg', bytes: 10, type: 'image/jpeg' };
    expectProblem(
      await client.call('POST', '/v1/uploads', { token: other, json: reserve }),
      403,
      'FORBIDDEN',
    );
  });

  test('for a listing that does not exist is told so', async () => {
    expectProblem(await client.upload('/v1/items/no-such/photos', file, { token: seller }), 404, 'NOT_FOUND');
    expectProblem(await client.call('GET', '/v1/items/no-such/photos'), 404, 'NOT_FOUND');
  });

  test('with another user’s profile is refused', async () => {
    const reply = await client.upload('/v1/users/seller-2/profile-photo', file, {
      token: seller,
      method: 'PUT',
    });
    expectProblem(reply, 403, 'FORBIDDEN');
  });

  test('who is no moderator sees no review and decides nothing', async () => {
    expectProblem(await client.call('GET', '/v1/admin/review', { token: seller }), 403, 'FORBIDDEN');
  });

  test('who writes nonsense is told what was expected', async () => {
    const reply = await client.call('POST', '/v1/items', { token: seller, json: { id: 'a b', title: '' } });
    expectProblem(reply, 400, 'INVALID_REQUEST');
    expect(reply.body.toString()).toContain('body.id: is 1 to 64 letters');
    const big = await client.call('POST', '/v1/items', {
      token: seller,
      json: { title: 'x'.repeat(70_000) },
    });
    expectProblem(big, 413, 'FILE_TOO_LARGE');
    const headers = { 'content-type': 'application/json' };
    const broken = await client.call('POST', '/v1/items', {
      token: seller,
      body: Buffer.from('{"a":'),
      headers,
    });
    expectProblem(broken, 400, 'INVALID_REQUEST');
    expectProblem(await client.call('GET', '/v1/photos/%zz'), 400, 'INVALID_REQUEST');
    expectProblem(await client.call('GET', '/v1/photos/../../etc/passwd'), 404, 'NOT_FOUND');
    expectProblem(await client.call('PATCH', '/v1/nothing'), 404, 'NOT_FOUND');
  });
});
