import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Gallery, Item, Photo, SignedUrl } from '#src/http/schemas.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import {
  addressesOf,
  type Client,
  clientOf,
  expectNoObjects,
  expectProblem,
  objectsIn,
  photoFile,
} from './client.ts';
import { followEvents } from './event-stream.ts';

const ItemList = z.object({ items: z.array(Item) });

let service: RunningService;
let client: Client;
let seller: string;

beforeAll(async () => {
  service = await startService({ env: { LOG_LEVEL: 'warn', UPLOADS_PER_MINUTE: '1000' } });
  client = clientOf(service.url);
  seller = await client.token('seller-1', 'seller');
});
afterAll(() => service.stop());

async function readyPhoto(itemId: string, name = 'waterfall.jpg'): Promise<z.output<typeof Photo>> {
  const reply = await client.upload(`/v1/items/${itemId}/photos`, await photoFile(name), { token: seller });
  expect(reply.status).toBe(201);
  return client.untilState(reply.as(Photo).id, seller, 'ready');
}

describe('a listing', () => {
  test('is created once, found, changed and removed by its seller only', async () => {
    const json = { id: 'blue-bike', title: 'Blue bike', category: 'bikes' };
    const created = await client.call('POST', '/v1/items', { token: seller, json });
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe('/v1/items/blue-bike');
    expect((await client.call('POST', '/v1/items', { token: seller, json })).status).toBe(200);
    const other = await client.token('seller-2');
    expect((await client.call('POST', '/v1/items', { token: other, json })).status).toBeGreaterThanOrEqual(
      403,
    );

    const patch = { status: 'sold', category: null };
    expectProblem(
      await client.call('PATCH', '/v1/items/blue-bike', { token: other, json: patch }),
      403,
      'FORBIDDEN',
    );
    const changed = await client.call('PATCH', '/v1/items/blue-bike', { token: seller, json: patch });
    expect(changed.as(Item)).toMatchObject({ title: 'Blue bike', status: 'sold', category: null });

    expect((await client.call('DELETE', '/v1/items/blue-bike', { token: seller })).status).toBe(204);
    expectProblem(await client.call('GET', '/v1/items/blue-bike'), 404, 'NOT_FOUND');
  });
});

describe('a photo', () => {
  let itemId: string;
  let photo: z.output<typeof Photo>;
  beforeAll(async () => {
    itemId = await client.listing(seller);
    photo = await readyPhoto(itemId);
  });

  test('is in the gallery that a buyer sees, without what is the seller’s', async () => {
    const reply = await client.call('GET', `/v1/items/${itemId}/photos`);
    const gallery = reply.as(Gallery.strict());
    expect(gallery.photos.map(({ id, state, sha256 }) => ({ id, state, sha256 }))).toEqual([
      { id: photo.id, state: 'ready', sha256: null },
    ]);
    const { etag } = Object.fromEntries(reply.headers);
    const again = await client.call('GET', `/v1/items/${itemId}/photos`, {
      headers: { 'if-none-match': etag ?? '' },
    });
    expect(again.status).toBe(304);
  });

  test('has an original, three sizes in two formats, and every URL works', async () => {
    const { objects } = addressesOf(photo);
    expect(objects.map(({ name, format }) => `${name} ${format}`).toSorted()).toEqual([
      'large jpeg',
      'large webp',
      'medium jpeg',
      'medium webp',
      'original jpeg',
      'thumbnail jpeg',
      'thumbnail webp',
    ]);
    for (const { url, format, bytes } of objects) {
      const reply = await client.call('GET', url);
      expect(reply.status, url).toBe(200);
      expect(reply.headers.get('content-type')).toBe(`image/${format}`);
      expect(reply.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(reply.body.length).toBe(bytes);
    }
    expect(photo.srcset.webp).toMatch(/ 300w.* 800w.* 1200w/);
  });

  test('is negotiated, cut and revalidated by the edge', async () => {
    const auto = photo.variants.large?.auto ?? '';
    const webp = await client.call('GET', auto, { headers: { accept: 'image/avif,image/webp,*/*;q=0.8' } });
    expect(webp.headers.get('content-type')).toBe('image/webp');
    expect(webp.headers.get('vary')).toBe('Accept');
    const jpeg = await client.call('GET', auto, { headers: { accept: '*/*' } });
    expect(jpeg.headers.get('content-type')).toBe('image/jpeg');
    const original = await client.call('GET', photo.variants.original?.auto ?? '', {
      headers: { accept: 'image/webp' },
    });
    expect(original.headers.get('content-type')).toBe('image/jpeg');

    const url = photo.variants.large?.formats.jpeg?.url ?? '';
    const part = await client.call('GET', url, { headers: { range: 'bytes=10-19' } });
    expect(part.status).toBe(206);
    expect(part.body.equals(jpeg.body.subarray(10, 20))).toBe(true);
    const etag = jpeg.headers.get('etag') ?? '';
    expect((await client.call('GET', url, { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await client.call('HEAD', url)).headers.get('content-length')).toBe(String(jpeg.body.length));
  });

  test('is described by its seller', async () => {
    const path = `/v1/photos/${photo.id}`;
    const changed = await client.call('PATCH', path, { token: seller, json: { alt: 'A waterfall' } });
    expect(changed.as(Photo).alt).toBe('A waterfall');
    const other = await client.token('seller-2');
    expectProblem(await client.call('PATCH', path, { token: other, json: { alt: '' } }), 403, 'FORBIDDEN');
  });

  test('has a signed URL that works for its time, and no other', async () => {
    const json = { variant: 'medium', format: 'webp', expiresIn: 60 };
    const reply = await client.call('POST', `/v1/photos/${photo.id}/signed-url`, { token: seller, json });
    const { url, expiresAt } = reply.as(SignedUrl.strict());
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(60_000);
    expect((await client.call('GET', url)).status).toBe(200);
    expect((await client.call('GET', url.replace(/signature=./i, 'signature=_'))).status).toBe(403);
  });

  test('sent again is the photo that is there, in the listing once', async () => {
    const again = await client.upload(`/v1/items/${itemId}/photos`, await photoFile('waterfall.jpg'), {
      token: seller,
    });
    expect(again.status).toBe(201);
    expect(again.as(Photo).id).toBe(photo.id);
    expect((await client.gallery(itemId)).photos.length).toBe(1);
  });
});

describe('an upload', () => {
  test('with an idempotency key is done once, and other bytes under the key are a conflict', async () => {
    const itemId = await client.listing(seller);
    const headers = { 'idempotency-key': 'photo-1' };
    const send = async (name: string) =>
      client.upload(`/v1/items/${itemId}/photos`, await photoFile(name), { token: seller, headers });
    const [first, second] = await Promise.all([send('lake.jpg'), send('lake.jpg')]);
    const third = await send('lake.jpg');
    const ids = [first, second, third].map((reply) => {
      expect([201, 202]).toContain(reply.status);
      return reply.as(Photo).id;
    });
    expect(new Set(ids).size).toBe(1);
    expectProblem(await send('sunset.jpg'), 409, 'IDEMPOTENCY_CONFLICT');
    expect((await client.gallery(itemId, seller)).photos.length).toBe(1);
  });

  test('that does not want to wait is answered at once and followed by events', async () => {
    const itemId = await client.listing(seller);
    const events = await followEvents(`${service.url}/v1/items/${itemId}/events`, seller);
    await events.next((event) => event.event === 'order');
    const reply = await client.upload(`/v1/items/${itemId}/photos`, await photoFile('stream.jpg'), {
      token: seller,
      headers: { prefer: 'respond-async' },
    });
    expect(reply.status).toBe(202);
    expect(reply.headers.get('preference-applied')).toBe('respond-async');
    expect(reply.headers.get('retry-after')).toBe('1');
    const { id } = reply.as(Photo.strict());
    expect(reply.headers.get('location')).toBe(`/v1/photos/${id}`);

    const ready = await events.next(
      (event) => event.event === 'photo' && Photo.parse(event.data).state === 'ready',
    );
    expect(Photo.parse(ready.data).id).toBe(id);
    const photoEvents = await followEvents(`${service.url}/v1/photos/${id}/events`);
    const first = await photoEvents.next(() => true);
    expect(first).toMatchObject({ event: 'photo', data: { id, state: 'ready', sha256: null } });

    await client.call('DELETE', `/v1/photos/${id}`, { token: seller });
    expect((await events.next((event) => event.event === 'deleted')).data).toEqual({ id });
    expect((await photoEvents.next((event) => event.event === 'deleted')).data).toEqual({ id });
    events.close();
  });

  test('that nobody may see yet has no public events', async () => {
    const reply = await client.call('GET', '/v1/photos/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11/events');
    expectProblem(reply, 404, 'NOT_FOUND');
  });
});

describe('the order of photos', () => {
  test('is changed as a whole, and refused once the gallery is another', async () => {
    const itemId = await client.listing(seller);
    const photos = [];
    for (const name of ['lake.jpg', 'sunset.jpg', 'dogs.jpg'])
      photos.push((await readyPhoto(itemId, name)).id);
    const { version } = await client.gallery(itemId);
    const order = photos.toReversed();
    const path = `/v1/items/${itemId}/photos/order`;
    const put = (ids: string[], ifMatch: string) =>
      client.call('PUT', path, { token: seller, json: { order: ids }, headers: { 'if-match': ifMatch } });

    const done = await put(order, `"${version}"`);
    expect(done.status).toBe(200);
    expect(done.as(Gallery).photos.map(({ id }) => id)).toEqual(order);
    expect((await client.gallery(itemId)).photos.map(({ position }) => position)).toEqual([0, 1, 2]);
    expectProblem(await put(photos, `"${version}"`), 412, 'VERSION_CONFLICT');
    expectProblem(await put(photos.slice(1), '*'), 400, 'INVALID_REQUEST');
    expectProblem(await put(photos, 'soon'), 400, 'INVALID_REQUEST');
    const tag = (await client.call('GET', `/v1/items/${itemId}/photos`)).headers.get('etag') ?? '';
    expect((await put(photos, tag)).status).toBe(200);
  });
});

describe('what is deleted', () => {
  test('while its renditions are being made leaves no object', async () => {
    const itemId = await client.listing(seller);
    for (let round = 0; round < 3; round++) {
      const reply = await client.upload(`/v1/items/${itemId}/photos`, await photoFile('nuthatch.jpg'), {
        token: seller,
      });
      const { id } = reply.as(Photo);
      expect((await client.call('DELETE', `/v1/photos/${id}`, { token: seller })).status).toBe(204);
      await expect
        .poll(async () => (await objectsIn(service.dataDir)).filter((path) => path.includes(id)), {
          timeout: 15_000,
        })
        .toEqual([]);
    }
  });

  test('is gone: page, URLs in the cache, objects', async () => {
    const itemId = await client.listing(seller);
    const photo = await readyPhoto(itemId, 'mountains.jpg');
    const { urls } = addressesOf(photo);
    for (const url of urls) expect((await client.call('GET', url)).status).toBe(200);
    expect((await client.call('DELETE', `/v1/photos/${photo.id}`, { token: seller })).status).toBe(204);
    expectProblem(await client.call('GET', `/v1/photos/${photo.id}`), 404, 'NOT_FOUND');
    for (const url of urls)
      await expect.poll(async () => (await client.call('GET', url)).status, { timeout: 10_000 }).toBe(404);
    expect((await client.gallery(itemId)).photos).toEqual([]);
  });
});

describe('a profile photo', () => {
  const path = '/v1/users/seller-1/profile-photo';
  const alias = () => `${service.url}/cdn/profiles/thumbnail/seller-1/current`;

  test('is replaced: its address shows the new one and the old one is gone', async () => {
    expectProblem(await client.call('GET', path), 404, 'NOT_FOUND');
    const put = async (name: string) => {
      const reply = await client.upload(path, await photoFile(name), { token: seller, method: 'PUT' });
      expect(reply.status).toBe(201);
      return client.untilState(reply.as(Photo).id, seller, 'ready');
    };
    const first = await put('dogs.jpg');
    expect(Object.keys(first.variants).toSorted()).toEqual(['original', 'thumbnail']);
    const seen = await client.call('GET', alias());
    expect(seen.status).toBe(200);
    expect(seen.headers.get('cache-control')).toBe('public, max-age=60');

    const second = await put('lake.jpg');
    expect((await client.call('GET', path)).as(Photo).id).toBe(second.id);
    await expect
      .poll(async () => (await client.call('GET', alias())).headers.get('etag'), { timeout: 10_000 })
      .not.toBe(seen.headers.get('etag'));
    const oldUrl = first.variants.original?.formats.jpeg?.url ?? '';
    await expect.poll(async () => (await client.call('GET', oldUrl)).status, { timeout: 10_000 }).toBe(404);

    expect((await client.call('DELETE', path, { token: seller })).status).toBe(204);
    await expect.poll(async () => (await client.call('GET', alias())).status, { timeout: 10_000 }).toBe(404);
  });
});

describe('after everything was deleted', () => {
  test('the object store is empty', async () => {
    const { items } = (await client.call('GET', '/v1/items?sellerId=seller-1', { token: seller })).as(
      ItemList,
    );
    for (const { id } of items)
      expect((await client.call('DELETE', `/v1/items/${id}`, { token: seller })).status).toBe(204);
    await expectNoObjects(service.dataDir);
  });
});
