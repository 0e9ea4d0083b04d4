import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { Photo, Reservation } from '#src/http/schemas.ts';
import { eicarBehindJpeg, htmlNamedJpg, type UploadFile } from '#test/support/hostile.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import {
  type Client,
  clientOf,
  expectNoObjects,
  expectProblem,
  multipart,
  photoFile,
  type Reply,
} from './client.ts';

let service: RunningService;
let client: Client;
let seller: string;
let itemId: string;

beforeAll(async () => {
  service = await startService({ env: { LOG_LEVEL: 'warn', UPLOADS_PER_MINUTE: '1000' } });
  client = clientOf(service.url);
  seller = await client.token('seller-1', 'seller');
  itemId = await client.listing(seller);
});
afterAll(() => service.stop());

type Reserved = z.output<typeof Reservation>;

async function reserve(file: UploadFile, change: object = {}): Promise<Reserved> {
  const json = {
    kind: 'item_photo',
    itemId,
    filename: file.name,
    bytes: file.bytes.length,
    type: file.type,
    ...change,
  };
  const reply = await client.call('POST', '/v1/uploads', { token: seller, json });
  expect(reply.status).toBe(201);
  return reply.as(Reservation.strict());
}

const complete = (id: string, token = seller) => client.call('POST', `/v1/uploads/${id}/complete`, { token });

describe('a resumable upload', () => {
  const tus = (
    method: string,
    url: string,
    headers: Record<string, string> = {},
    body?: Buffer,
    token = seller,
  ) =>
    client.call(method, url, {
      token,
      headers: { 'tus-resumable': '1.0.0', ...headers },
      ...(body !== undefined && { body }),
    });
  const patch = (url: string, offset: number, body: Buffer, token?: string) =>
    tus(
      'PATCH',
      url,
      { 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' },
      body,
      token,
    );
  const offsetOf = async (url: string) => Number((await tus('HEAD', url)).headers.get('upload-offset'));

  test('goes on after its connection was cut, to the same photo', async () => {
    const file = await photoFile('mountains.jpg');
    const sha256 = createHash('sha256').update(file.bytes).digest('hex');
    const { id, tus: place } = await reserve(file, { sha256 });
    const half = Math.floor(file.bytes.length / 2);
    await cutAfter(place.url, file.bytes, half);
    await expect.poll(() => offsetOf(place.url)).toBeGreaterThan(0);
    const offset = await offsetOf(place.url);
    expect(offset).toBeLessThan(file.bytes.length);

    const rest = await patch(place.url, offset, file.bytes.subarray(offset));
    expect(rest.status).toBe(204);
    expect(rest.headers.get('upload-offset')).toBe(String(file.bytes.length));
    // The client may not have heard that it was done: it asks, and is told so.
    expect(await offsetOf(place.url)).toBe(file.bytes.length);

    for (const reply of [await complete(id), await complete(id)]) {
      expect([201, 202]).toContain(reply.status);
      expect(reply.as(Photo)).toMatchObject({ id, sha256 });
    }
    await client.untilState(id, seller, 'ready');
    expect((await client.gallery(itemId)).photos.map((photo) => photo.id)).toContain(id);
  });

  test('is there only for who reserved it, and cannot be read', async () => {
    const file = await photoFile('lake.jpg');
    const { tus: place } = await reserve(file);
    const other = await client.token('seller-2');
    expectProblem(await patch(place.url, 0, file.bytes, other), 404, 'NOT_FOUND');
    expect((await tus('HEAD', place.url, {}, undefined, other)).status).toBe(404);
    expectProblem(await tus('DELETE', place.url, {}, undefined, other), 404, 'NOT_FOUND');
    expectProblem(await tus('GET', place.url), 404, 'NOT_FOUND');
    expectProblem(await client.call('PATCH', place.url, { body: file.bytes }), 401, 'UNAUTHENTICATED');
    const creation = await tus('POST', `${service.url}/v1/uploads/tus`, { 'upload-length': '10' });
    expect(creation.status).toBe(404);
    expect((await tus('DELETE', place.url)).status).toBe(204);
    expect((await tus('HEAD', place.url)).status).toBe(404);
  });

  test('takes bytes from where it stands, and not more than were reserved', async () => {
    const file = await photoFile('lake.jpg');
    const { tus: place } = await reserve(file);
    expectProblem(await patch(place.url, 5, file.bytes), 409, 'CONFLICT');
    const more = Buffer.concat([file.bytes, Buffer.alloc(10)]);
    expectProblem(await patch(place.url, 0, more), 413, 'FILE_TOO_LARGE');
    expect(await offsetOf(place.url)).toBe(0);
    await tus('DELETE', place.url);
  });

  test('of other bytes than were announced is refused', async () => {
    const file = await photoFile('sunset.jpg');
    const { id, tus: place } = await reserve(file, { sha256: '0'.repeat(64) });
    expectProblem(await patch(place.url, 0, file.bytes), 422, 'UPLOAD_MISMATCH');
    // Refused and gone: it cannot be completed.
    const late = await complete(id);
    expect([404, 422]).toContain(late.status);
    expect((await client.gallery(itemId, seller)).photos.map((photo) => photo.id)).not.toContain(id);
  });

  test('that is not whole cannot be completed', async () => {
    const file = await photoFile('sunset.jpg');
    const { id, tus: place } = await reserve(file);
    await patch(place.url, 0, file.bytes.subarray(0, 1000));
    expectProblem(await complete(id), 409, 'UPLOAD_INCOMPLETE');
    await tus('DELETE', place.url);
  });

  async function cutAfter(url: string, bytes: Buffer, length: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const req = request(url, {
        method: 'PATCH',
        headers: {
          authorization: `Bearer ${seller}`,
          'tus-resumable': '1.0.0',
          'upload-offset': '0',
          'content-type': 'application/offset+octet-stream',
          'content-length': String(bytes.length),
        },
      });
      req.on('error', () => resolve());
      req.on('response', () => reject(new Error('answered before it was whole')));
      req.write(bytes.subarray(0, length), () => {
        req.destroy();
        resolve();
      });
    });
  }
});

describe('a signed form', () => {
  const post = (
    reserved: Reserved,
    file: UploadFile,
    change: Record<string, string> = {},
  ): Promise<Reply> => {
    const { url = '', fields = {} } = reserved.direct ?? {};
    const form = multipart(file, { ...fields, ...change });
    return client.call('POST', url, { body: form.body, headers: { 'content-type': form.contentType } });
  };

  test('brings the bytes without a token, and is completed with one', async () => {
    const file = await photoFile('dogs.jpg');
    const reserved = await reserve(file);
    expect((await post(reserved, file)).status).toBe(204);
    const reply = await complete(reserved.id);
    expect([201, 202]).toContain(reply.status);
    await client.untilState(reserved.id, seller, 'ready');
  });

  test('that is sent again after completion changes nothing', async () => {
    const file = await photoFile('stream.jpg');
    const reserved = await reserve(file);
    await post(reserved, file);
    await complete(reserved.id);
    const before = await client.untilState(reserved.id, seller, 'ready');
    expect((await post(reserved, htmlNamedJpg())).status).toBe(404);
    expect((await client.call('GET', `/v1/photos/${reserved.id}`, { token: seller })).as(Photo)).toEqual(
      before,
    );
  });

  test('with a changed field is refused', async () => {
    const file = await photoFile('lake.jpg');
    const reserved = await reserve(file);
    const other = await reserve(file);
    for (const change of [
      { signature: 'x'.repeat(43) },
      { policy: Buffer.from('{}').toString('base64url') },
      { key: other.direct?.fields['key'] ?? '' },
      { 'Content-Type': 'text/html' },
    ])
      expectProblem(await post(reserved, file, change), 403, 'FORBIDDEN');
    for (const { tus } of [reserved, other])
      await client.call('DELETE', tus.url, { token: seller, headers: { 'tus-resumable': '1.0.0' } });
  });

  test('of more bytes than were reserved is refused', async () => {
    const file = await photoFile('lake.jpg');
    const reserved = await reserve(file, { bytes: 1000 });
    expectProblem(await post(reserved, file), 422, 'UPLOAD_MISMATCH');
  });

  test('with malware is refused when it is completed', async () => {
    const file = await eicarBehindJpeg();
    const reserved = await reserve(file);
    expect((await post(reserved, file)).status).toBe(204);
    expectProblem(await complete(reserved.id), 422, 'MALWARE_FOUND');
  });

  test('is completed by nobody else', async () => {
    const file = await photoFile('lake.jpg');
    const reserved = await reserve(file);
    await post(reserved, file);
    expectProblem(await complete(reserved.id, await client.token('seller-2')), 404, 'NOT_FOUND');
    await client.call('DELETE', `/v1/photos/${reserved.id}`, { token: seller });
  });
});

test('what was not finished leaves nothing once the listing is gone', async () => {
  expect((await client.call('DELETE', `/v1/items/${itemId}`, { token: seller })).status).toBe(204);
  await expectNoObjects(service.dataDir);
});
