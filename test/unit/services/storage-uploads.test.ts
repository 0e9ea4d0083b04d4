import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import type { UploadProgress } from '#src/services/storage.service.ts';
import { type StorageUnderFaults, storageUnderFaults } from '#test/support/storage-under-faults.ts';

let under: StorageUnderFaults;
beforeEach(async () => {
  under = await storageUnderFaults();
});
afterEach(() => under.close());

const JPEG = { contentType: 'image/jpeg' };
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const inChunks = (bytes: Buffer, size = 50_000) => Readable.from(chunks(bytes, size), { objectMode: false });

function* chunks(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
  yield* chunks(bytes, 70_000);
}

async function download(key: string): Promise<Buffer> {
  const { body } = await under.service.downloadFile(key);
  return buffer(body);
}

async function listed(): Promise<string[]> {
  return (await under.service.listFiles('').page()).objects.map(({ key }) => key);
}

describe('uploadFile', () => {
  test('buffers, streams, iterables and factories of them arrive whole, with their hash', async () => {
    const bytes = randomBytes(300_000);
    const sources = [bytes, inChunks(bytes), chunksOf(bytes), () => inChunks(bytes), () => chunksOf(bytes)];
    for (const [index, source] of sources.entries()) {
      const key = `temp/uploads/${index}`;
      const uploaded = await under.service.uploadFile(source, {
        key,
        contentType: 'image/png',
        metadata: { n: 'ü' },
      });
      expect(uploaded).toMatchObject({ key, bytes: bytes.length, sha256: sha256(bytes), access: 'private' });
      expect(await under.service.fileInfo(key)).toMatchObject({
        bytes: bytes.length,
        etag: uploaded.etag,
        contentType: 'image/png',
        cacheControl: 'private, no-store',
        metadata: { n: 'ü' },
      });
      expect((await download(key)).equals(bytes)).toBe(true);
    }
  });

  test('public files are immutable for caches; a given cache control stays', async () => {
    const { access, cacheControl } = await under.service.uploadFile(Buffer.from('x'), {
      key: 'items/a',
      ...JPEG,
    });
    expect({ access, cacheControl }).toEqual({
      access: 'public',
      cacheControl: 'public, max-age=31536000, immutable',
    });
    const given = { key: 'items/b', ...JPEG, access: 'public', cacheControl: 'no-cache' } as const;
    expect((await under.service.uploadFile(Buffer.from('x'), given)).cacheControl).toBe('no-cache');
  });

  test.each([
    ['private', 'items/large/a.jpg'],
    ['public', 'verification/documents/u/a.enc'],
  ] as const)('a %s file is not put under %s', async (access, key) => {
    const source = inChunks(randomBytes(10));
    const upload = under.service.uploadFile(source, { key, ...JPEG, access });
    await expect(upload).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    expect(source.destroyed).toBe(true);
    expect(under.store.calls('put')).toBe(0);
  });

  test('a file at the limit is taken, one byte more is refused before the rest is read', async () => {
    const options = { key: 'temp/limit', ...JPEG, maxBytes: 100_000 };
    await under.service.uploadFile(inChunks(randomBytes(100_000)), options);
    let read = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) {
        read += 40_000;
        yield randomBytes(40_000);
      }
    }
    const upload = under.service.uploadFile(endless(), { ...options, key: 'temp/over' });
    await expect(upload).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
    expect(read).toBeLessThanOrEqual(160_000);
    expect(await listed()).toEqual(['temp/limit']);
  });

  test('what is known to be too large is refused before anything is read', async () => {
    const options = { key: 'temp/over', ...JPEG, maxBytes: 10 };
    const source = inChunks(randomBytes(11));
    const announced = under.service.uploadFile(source, { ...options, contentLength: 11 });
    await expect(announced).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
    await expect(under.service.uploadFile(randomBytes(11), options)).rejects.toMatchObject({
      code: 'FILE_TOO_LARGE',
    });
    expect(source.destroyed).toBe(true);
    expect(under.store.calls('put')).toBe(0);
  });

  test('bytes of another hash or length than announced are never visible', async () => {
    const bytes = randomBytes(120_000);
    const right = { key: 'temp/right', ...JPEG, expectedSha256: sha256(bytes), contentLength: bytes.length };
    await under.service.uploadFile(inChunks(bytes), right);
    const other = { ...right, key: 'temp/other', expectedSha256: sha256(Buffer.from('other')) };
    const longer = { ...right, key: 'temp/other', contentLength: bytes.length + 1 };
    for (const wrong of [other, longer])
      for (const source of [bytes, inChunks(bytes)])
        await expect(under.service.uploadFile(source, wrong)).rejects.toMatchObject({
          code: 'UPLOAD_MISMATCH',
        });
    expect(await listed()).toEqual(['temp/right']);
  });

  test('a source that breaks is UPLOAD_INCOMPLETE, is not repeated and leaves nothing', async () => {
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
    async function* broken(): AsyncGenerator<Buffer> {
      yield randomBytes(600_000);
      throw reset;
    }
    for (const source of [broken(), Readable.from(broken(), { objectMode: false }), () => broken()]) {
      const upload = under.service.uploadFile(source, { key: 'temp/broken', ...JPEG });
      await expect(upload).rejects.toMatchObject({ code: 'UPLOAD_INCOMPLETE', cause: reset });
    }
    expect(under.store.calls('put')).toBe(3);
    expect(await listed()).toEqual([]);
  });

  test('a source that knows its own error keeps it; one of other things than bytes is refused', async () => {
    async function* tooMany(): AsyncGenerator<Buffer> {
      yield Buffer.from('x');
      throw new StorageError('QUOTA_EXCEEDED');
    }
    const upload = under.service.uploadFile(tooMany(), { key: 'temp/a', ...JPEG });
    await expect(upload).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
    const objects = under.service.uploadFile(Readable.from([{ a: 1 }]), { key: 'temp/a', ...JPEG });
    await expect(objects).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    const text = await under.service.uploadFile(Readable.from(['te', 'xt']), {
      key: 'temp/a',
      contentType: 'text/plain',
    });
    expect(text.sha256).toBe(sha256(Buffer.from('text')));
  });

  test('progress only grows, and ends at the whole', async () => {
    const bytes = randomBytes(200_000);
    for (const [source, contentLength] of [
      [bytes],
      [inChunks(bytes), bytes.length],
      [inChunks(bytes)],
    ] as const) {
      const seen: UploadProgress[] = [];
      await under.service.uploadFile(source, {
        key: 'temp/progress',
        ...JPEG,
        ...(contentLength !== undefined && { contentLength }),
        onProgress: (progress) => seen.push(progress),
      });
      const sent = seen.map(({ sentBytes }) => sentBytes);
      expect(sent).toEqual(sent.toSorted((a, b) => a - b));
      const total = source === bytes || contentLength !== undefined ? bytes.length : null;
      expect(seen.at(-1)).toEqual({ sentBytes: bytes.length, totalBytes: total });
    }
  });

  test.each([
    ['a stream', (stalled: Readable) => stalled],
    ['a factory of streams', (stalled: Readable) => () => stalled],
  ])('an abort ends the upload of %s that has stalled, and lets it go', async (_, sourceOf) => {
    const controller = new AbortController();
    const { signal } = controller;
    const stalled = new Readable({ read() {} });
    stalled.push(randomBytes(10_000));
    const onProgress = () => controller.abort();
    const upload = under.service.uploadFile(sourceOf(stalled), {
      key: 'temp/a',
      ...JPEG,
      signal,
      onProgress,
    });
    await expect(upload).rejects.toMatchObject({ code: 'ABORTED' });
    expect(stalled.destroyed).toBe(true);
    expect(await listed()).toEqual([]);
  });

  test('of twenty creates at once one wins', async () => {
    const create = (n: number) =>
      under.service.uploadFile(inChunks(Buffer.alloc(90_000, n)), {
        key: 'temp/race',
        ...JPEG,
        ifNoneMatch: true,
      });
    const results = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => create(n)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results)
      expect(result.status === 'fulfilled' || result.reason).toSatisfy(
        (value) => value === true || (value instanceof StorageError && value.code === 'ALREADY_EXISTS'),
      );
  });
});
