import { expect, test } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import { fileId } from '#src/domain/ids.ts';
import { TUS_LIFETIME_MS } from '#src/http/tus/reservations.ts';
import { startHttp } from './http-service.ts';
import { digest, doubles, PHOTO_ID } from './service-doubles.ts';

const id = fileId(PHOTO_ID);
const UPLOAD = { bytes: 10, filename: 'a.jpg', type: 'image/jpeg' };
const RESERVED = {
  getReservation: async () => ({ id, ownerId: 'seller-1', bytes: UPLOAD.bytes, type: UPLOAD.type }),
};

test('an upload is given up only once its reservation is gone', async () => {
  const events: string[] = [];
  let failing = true;
  let isThere = true;
  const service = await startHttp(
    doubles({
      ...RESERVED,
      async uploadProgress() {
        if (!isThere) throw new StorageError('NOT_FOUND');
        return { ...UPLOAD, offset: 0, createdAt: new Date() };
      },
      async deletePhoto() {
        if (failing) throw new StorageError('DATABASE_UNAVAILABLE');
        isThere = false;
        events.push('reservation gone');
      },
    }),
  );
  try {
    const headers = {
      authorization: `Bearer ${await service.token('seller-1')}`,
      'tus-resumable': '1.0.0',
    };
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

test.each([
  ['a minute before a day is over', -60_000, 200],
  ['a minute after it', 60_000, 410],
])('a resumable upload is answered %s with %i', async (_when, later, status) => {
  const createdAt = new Date(Date.now() - TUS_LIFETIME_MS - later);
  const service = await startHttp(
    doubles({ ...RESERVED, uploadProgress: async () => ({ ...UPLOAD, offset: 4, createdAt }) }),
  );
  try {
    const headers = { authorization: `Bearer ${await service.token('seller-1')}`, 'tus-resumable': '1.0.0' };
    const reply = await fetch(`${service.url}/v1/uploads/tus/${id}`, { method: 'HEAD', headers });
    expect(reply.status).toBe(status);
  } finally {
    await service.close();
  }
});

test('what the protocol refuses names the request, as every problem does', async () => {
  const service = await startHttp(doubles(RESERVED));
  try {
    const headers = { authorization: `Bearer ${await service.token('seller-1')}` };
    const refused = await fetch(`${service.url}/v1/uploads/tus/${id}`, { method: 'PATCH', headers });
    expect(refused.status).toBe(412);
    expect(await refused.json()).toMatchObject({
      instance: `urn:request:${refused.headers.get('x-request-id')}`,
    });
  } finally {
    await service.close();
  }
});

test('parts are received a few at one time, like files', async () => {
  let running = 0;
  let most = 0;
  const service = await startHttp({
    ...doubles({
      ...RESERVED,
      uploadProgress: async () => ({ ...UPLOAD, offset: 0, createdAt: new Date() }),
      async appendUpload(_id, _offset, body) {
        running += 1;
        most = Math.max(most, running);
        const { bytes } = await digest(body);
        running -= 1;
        return bytes;
      },
    }),
    limits: { maxFileSize: 1024 * 1024, concurrentUploads: 2, bodyTimeoutMs: 10_000 },
  });
  try {
    const headers = {
      authorization: `Bearer ${await service.token('seller-1')}`,
      'tus-resumable': '1.0.0',
      'upload-offset': '0',
      'content-type': 'application/offset+octet-stream',
    };
    const url = `${service.url}/v1/uploads/tus/${id}`;
    const send = () => fetch(url, { method: 'PATCH', headers, body: Buffer.alloc(9, 1) });
    const replies = await Promise.all(Array.from({ length: 12 }, send));
    expect(replies.map((reply) => reply.status)).toEqual(Array(12).fill(204));
    expect(most).toBeLessThanOrEqual(2);
  } finally {
    await service.close();
  }
});
