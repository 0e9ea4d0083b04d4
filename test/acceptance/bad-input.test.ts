import { request } from 'node:http';
import { createConnection } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ErrorCode } from '#src/domain/errors.ts';
import { Photo, Problem } from '#src/http/schemas.ts';
import * as hostile from '#test/support/hostile.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { type Client, clientOf, expectNoObjects, expectProblem, multipart, photoFile } from './client.ts';

const MEGABYTE = 1024 * 1024;

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

type Row = [string, () => hostile.UploadFile | Promise<hostile.UploadFile>, number, ErrorCode];

describe('is refused, and leaves nothing behind:', () => {
  test.each<Row>([
    ['a photo cut in half', hostile.truncatedJpeg, 400, 'INVALID_IMAGE'],
    ['an empty file', hostile.emptyFile, 400, 'INVALID_IMAGE'],
    ['a web page named .jpg', hostile.htmlNamedJpg, 415, 'UNSUPPORTED_TYPE'],
    ['a drawing with a script named .jpg', hostile.svgNamedJpg, 415, 'UNSUPPORTED_TYPE'],
    ['an animated GIF', hostile.animatedGif, 415, 'UNSUPPORTED_TYPE'],
    ['a TIFF', hostile.tiff, 415, 'UNSUPPORTED_TYPE'],
    ['a PDF', hostile.pdf, 415, 'UNSUPPORTED_TYPE'],
    ['a PNG that claims 50,000 × 50,000 pixels', hostile.pngClaimingHugeSize, 422, 'TOO_MANY_PIXELS'],
    ['a decompression bomb', hostile.decompressionBomb, 422, 'TOO_MANY_PIXELS'],
    ['a photo of more than 10 MB', hostile.oversizedJpeg, 413, 'FILE_TOO_LARGE'],
    ['EICAR behind the end of a photo', hostile.eicarBehindJpeg, 422, 'MALWARE_FOUND'],
    ['a program behind the end of a photo', hostile.elfBehindJpeg, 422, 'MALWARE_FOUND'],
  ])('%s', async (_what, make, status, code) => {
    expectProblem(await client.upload(photos, await make(), { token: seller }), status, code);
  });

  test('a web page that claims to be a photo, by its bytes and not by its claim', async () => {
    const file = { ...hostile.htmlNamedJpg(), type: 'image/png', name: 'photo.png' };
    expectProblem(await client.upload(photos, file, { token: seller }), 415, 'UNSUPPORTED_TYPE');
  });

  test('a body without a file', async () => {
    const body = Buffer.from('--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nhello\r\n--x--\r\n');
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    expectProblem(
      await client.call('POST', photos, { token: seller, body, headers }),
      400,
      'INVALID_REQUEST',
    );
  });

  test('a multipart body that stops in the middle of the file', async () => {
    const { body, contentType } = multipart(await photoFile('waterfall.jpg'));
    const headers = { 'content-type': contentType };
    const cut = body.subarray(0, body.length / 2);
    expectProblem(
      await client.call('POST', photos, { token: seller, body: cut, headers }),
      400,
      'INVALID_REQUEST',
    );
  });

  test('a photo sent as the body itself', async () => {
    const { bytes } = await photoFile('waterfall.jpg');
    const headers = { 'content-type': 'image/jpeg' };
    const reply = await client.call('POST', photos, { token: seller, body: bytes, headers });
    expectProblem(reply, 415, 'UNSUPPORTED_TYPE');
  });

  test('an idempotency key that is none', async () => {
    const headers = { 'idempotency-key': 'x'.repeat(256) };
    const reply = await client.upload(photos, hostile.htmlNamedJpg(), { token: seller, headers });
    expectProblem(reply, 400, 'INVALID_REQUEST');
  });
});

describe('a body past the limit', () => {
  test('is refused while it is still being sent, and the connection is closed', async () => {
    const sent = await sendEndlessly();
    expect(sent.status).toBe(413);
    expect(sent.connection).toBe('close');
    // Socket buffers hold a few megabytes; a service that read to the end would take all hundred.
    expect(sent.bytes).toBeLessThan(30 * MEGABYTE);
  });

  test.each([
    ['one buffer', (form: FormData) => new Response(form).bytes()],
    ['a form', async (form: FormData) => form],
  ])('is refused in words that its sender reads, each of 20 times, sent as %s', async (_name, bodyOf) => {
    const form = new FormData();
    form.append('file', new Blob([Buffer.alloc(11_600_000, 0xff)], { type: 'image/jpeg' }), 'large.jpg');
    const type = new Response(form).headers.get('content-type') ?? '';
    const body = await bodyOf(form);
    const outcomes: string[] = [];
    for (let count = 0; count < 20; count++)
      outcomes.push(
        await fetch(`${service.url}${photos}`, {
          method: 'POST',
          body,
          headers: {
            authorization: `Bearer ${seller}`,
            ...(!(body instanceof FormData) && { 'content-type': type }),
          },
        }).then(
          async (response) => `${response.status} ${Problem.parse(await response.json()).code}`,
          (error: Error) => `no answer: ${String(error.cause)}`,
        ),
      );
    expect(outcomes).toEqual(Array(20).fill('413 FILE_TOO_LARGE'));
  });

  test('is refused by its announced length before any of it is read', async () => {
    const announced = await new Promise<number | undefined>((resolve, reject) => {
      const req = request(`${service.url}${photos}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${seller}`,
          'content-type': 'multipart/form-data; boundary=x',
          'content-length': String(500 * MEGABYTE),
          expect: '100-continue',
        },
      });
      req.on('continue', () => reject(new Error('told to go on')));
      req.on('response', (res) => {
        resolve(res.statusCode);
        req.destroy();
      });
      req.on('error', reject);
      req.flushHeaders();
    });
    expect(announced).toBe(413);
  });

  test('that trickles in is cut off', async () => {
    const { hostname, port } = new URL(service.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = createConnection(Number(port), hostname);
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
      socket.write(
        `POST ${photos} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${seller}\r\ncontent-type: multipart/form-data; boundary=x\r\ncontent-length: 100000\r\n\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n`,
      );
    });
    expect(answer).toMatch(/^HTTP\/1\.1 (408|400) /);
  });

  async function sendEndlessly(): Promise<{ status: number; connection: string | undefined; bytes: number }> {
    return new Promise((resolve, reject) => {
      const req = request(`${service.url}${photos}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${seller}`, 'content-type': 'multipart/form-data; boundary=x' },
      });
      const chunk = Buffer.alloc(64 * 1024, 0xff);
      let bytes = 0;
      let answered = false;
      req.write('--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n');
      const send = () => {
        while (!answered && bytes < 100 * MEGABYTE) {
          bytes += chunk.length;
          if (!req.write(chunk)) {
            req.once('drain', send);
            return;
          }
        }
      };
      req.on('response', (res) => {
        answered = true;
        resolve({ status: res.statusCode ?? 0, connection: res.headers.connection, bytes });
        req.destroy();
      });
      req.on('error', (error) => {
        if (!answered) reject(error);
      });
      send();
    });
  }
});

describe('a name', () => {
  test.each(hostile.HOSTILE_NAMES.map((name) => [JSON.stringify(name).slice(0, 60), name]))(
    'such as %s reaches no path and breaks no header',
    async (_shown, name) => {
      const file = { ...(await photoFile('waterfall.jpg')), name };
      const reply = await client.upload(photos, file, { token: seller });
      // A quote or a line break in the name may make the part itself unreadable: then it is refused.
      expect([201, 202, 400]).toContain(reply.status);
      expect(reply.headers.get('x-injected')).toBeNull();
      if (reply.status === 400) return expectProblem(reply, 400, 'INVALID_REQUEST');
      const photo = reply.as(Photo.strict());
      expect(photo.variants.original?.formats.jpeg?.url).toMatch(/\/[0-9a-f-]{36}-[0-9a-f]{12}\.jpg$/);
      await client.untilState(photo.id, seller, 'ready');
      await client.call('DELETE', `/v1/photos/${photo.id}`, { token: seller });
    },
  );
});
