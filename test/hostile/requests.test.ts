import { createConnection } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Photo, Reservation } from '#src/http/schemas.ts';
import {
  type Client,
  clientOf,
  expectNoObjects,
  expectProblem,
  multipart,
  photoFile,
} from '#test/acceptance/client.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { remove } from './uploads.ts';

let service: RunningService;
let client: Client;
let seller: string;
let itemId: string;
let photos: string;

beforeAll(async () => {
  service = await startService({
    env: { LOG_LEVEL: 'warn', UPLOADS_PER_MINUTE: '1000', BODY_TIMEOUT_MS: '2000' },
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

describe('a request is refused and leaves nothing:', () => {
  const send = (body: Buffer, contentType: string) =>
    client.call('POST', photos, { token: seller, body, headers: { 'content-type': contentType } });

  test('with 10,000 parts', async () => {
    const part = '--x\r\nContent-Disposition: form-data; name="field"\r\n\r\nvalue\r\n';
    const file = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n';
    const reply = await send(
      Buffer.from(`${part.repeat(10_000)}${file}…\r\n--x--\r\n`),
      'multipart/form-data; boundary=x',
    );
    expectProblem(reply, 400, 'INVALID_REQUEST');
  });

  test('with 10,000 files under another name', async () => {
    const part = '--x\r\nContent-Disposition: form-data; name="other"; filename="a.jpg"\r\n\r\nvalue\r\n';
    const reply = await send(
      Buffer.from(`${part.repeat(10_000)}--x--\r\n`),
      'multipart/form-data; boundary=x',
    );
    expectProblem(reply, 400, 'INVALID_REQUEST');
  });

  test('without a boundary, or with another one', async () => {
    const { body } = multipart(await photoFile('waterfall.jpg'));
    for (const type of [
      'multipart/form-data',
      'multipart/form-data; boundary=',
      'multipart/form-data; boundary=other',
    ])
      expectProblem(await send(body, type), 400, 'INVALID_REQUEST');
  });

  test('with a part whose headers have no end', async () => {
    const head = `--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n`;
    const headers = Array.from({ length: 5_000 }, (_, index) => `X-${index}: ${'y'.repeat(50)}\r\n`).join('');
    const reply = await send(Buffer.from(`${head}${headers}`), 'multipart/form-data; boundary=x');
    expectProblem(reply, 400, 'INVALID_REQUEST');
  });

  test('that says it is longer than it is, and stops in the middle of the file', async () => {
    const { body, contentType } = multipart(await photoFile('waterfall.jpg'));
    const answer = await raw(body.subarray(0, -2000), contentType, body.length);
    expect(answer).toMatch(/^HTTP\/1\.1 (400|408) /);
  });

  test('that says it is shorter than it is: what follows is no request', async () => {
    const { body, contentType } = multipart(await photoFile('waterfall.jpg'));
    const answer = await raw(body, contentType, body.length - 5000);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).not.toMatch(/HTTP\/1\.1 2\d\d /);
  });

  test('with two lengths, or a length and chunks', async () => {
    const { body, contentType } = multipart(await photoFile('waterfall.jpg'));
    for (const more of ['content-length: 5\r\n', 'transfer-encoding: chunked\r\n'])
      expect(await raw(body, contentType, body.length, more)).toMatch(/^HTTP\/1\.1 400 /);
  });
});

test('a whole photo in a request that says it is longer is taken, and the connection ends with it', async () => {
  const { body, contentType } = multipart(await photoFile('waterfall.jpg'));
  const answer = await raw(body, contentType, body.length + 1000);
  expect(answer).toMatch(/^HTTP\/1\.1 20[12] [^]*connection: close/i);
  const [photo] = (await client.gallery(itemId)).photos;
  if (photo === undefined) throw new Error('Expected the photo in the gallery');
  await remove(client, seller, await client.untilState(photo.id, seller, 'ready'));
});

test('a name of 10 kB is cut in a form, and refused in a reservation', async () => {
  const name = `${'🐞\u202e'.repeat(1500)}.jpg`;
  const reply = await client.upload(
    photos,
    { ...(await photoFile('waterfall.jpg')), name },
    { token: seller },
  );
  expect([201, 202], reply.body.toString()).toContain(reply.status);
  const photo = reply.as(Photo.strict());
  expect(reply.body.toString()).not.toMatch(/\u202e|🐞/);
  await remove(client, seller, await client.untilState(photo.id, seller, 'ready'));
  const json = { kind: 'item_photo', itemId, filename: name, bytes: 10, type: 'image/jpeg' };
  expectProblem(await client.call('POST', '/v1/uploads', { token: seller, json }), 400, 'INVALID_REQUEST');
});

describe('ids that somebody else knows or makes up', () => {
  test('open, change and complete nothing', async () => {
    const { bytes, name, type } = await photoFile('lake.jpg');
    const json = { kind: 'item_photo', itemId, filename: name, bytes: bytes.length, type };
    const reserved = (await client.call('POST', '/v1/uploads', { token: seller, json })).as(Reservation);
    const other = await client.token('seller-2', 'seller');
    const madeUp = `${reserved.id.slice(0, -4)}0000`;
    for (const id of [reserved.id, madeUp, '00000000-0000-0000-0000-000000000000'])
      for (const [method, path] of [
        ['POST', `/v1/uploads/${id}/complete`],
        ['DELETE', `/v1/photos/${id}`],
        ['GET', `/v1/photos/${id}`],
      ] as const)
        expectProblem(await client.call(method, path, { token: other }), 404, 'NOT_FOUND');
    for (const id of ['..%2f..%2fetc', "'%20or%201=1--", '%00', 'a'.repeat(5000)]) {
      const { status } = await client.call('POST', `/v1/uploads/${id}/complete`, { token: other });
      expect([400, 404, 414]).toContain(status);
    }
    expect((await client.call('DELETE', `/v1/photos/${reserved.id}`, { token: seller })).status).toBe(204);
  });

  test('a photo completed twenty times at once is one photo', async () => {
    const file = await photoFile('lake.jpg');
    const json = {
      kind: 'item_photo',
      itemId,
      filename: file.name,
      bytes: file.bytes.length,
      type: file.type,
    };
    const reserved = (await client.call('POST', '/v1/uploads', { token: seller, json })).as(Reservation);
    const sent = await client.call('PATCH', reserved.tus.url, {
      token: seller,
      body: file.bytes,
      headers: {
        'tus-resumable': '1.0.0',
        'upload-offset': '0',
        'content-type': 'application/offset+octet-stream',
      },
    });
    expect(sent.status).toBe(204);
    const replies = await Promise.all(
      Array.from({ length: 20 }, () =>
        client.call('POST', `/v1/uploads/${reserved.id}/complete`, { token: seller }),
      ),
    );
    for (const reply of replies) {
      expect([200, 201, 202], reply.body.toString()).toContain(reply.status);
      expect(reply.as(Photo).id).toBe(reserved.id);
    }
    const photo = await client.untilState(reserved.id, seller, 'ready');
    expect((await client.gallery(itemId)).photos.map(({ id }) => id)).toEqual([photo.id]);
    await remove(client, seller, photo);
  });
});

/** Sends the body with that announced length over a socket of its own, and gives everything that comes back. */
function raw(body: Buffer, contentType: string, length: number, more = ''): Promise<string> {
  const { hostname, port } = new URL(service.url);
  return new Promise((resolve, reject) => {
    const socket = createConnection(Number(port), hostname);
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    socket.on('close', () => resolve(text));
    socket.on('error', (error) => (text === '' ? reject(error) : resolve(text)));
    socket.write(
      `POST ${photos} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${seller}\r\ncontent-type: ${contentType}\r\ncontent-length: ${length}\r\n${more}\r\n`,
    );
    socket.write(body);
  });
}
