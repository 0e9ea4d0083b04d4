import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import { objectKey } from '#src/domain/keys.ts';
import { createStorageService } from '#src/services/storage.service.ts';
import { slowDown } from '#test/support/faulty-store.ts';
import { type StorageUnderFaults, storageUnderFaults } from '#test/support/storage-under-faults.ts';

let under: StorageUnderFaults;
beforeEach(async () => {
  under = await storageUnderFaults();
});
afterEach(() => under.close());

const JPEG = { contentType: 'image/jpeg' };

async function download(key: string): Promise<Buffer> {
  const { body } = await under.service.downloadFile(key);
  return buffer(body);
}

async function put(key: string, text = key): Promise<string> {
  const { etag } = await under.service.uploadFile(Buffer.from(text), { key, contentType: 'text/plain' });
  return etag;
}

async function listed(prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of under.service.listFiles(prefix, { pageSize: 2 })) found.push(key);
  return found;
}

describe('keys', () => {
  const key = fc
    .array(fc.stringMatching(/^[A-Za-z0-9!_.*'()@:|=+,-]{1,40}$/), { minLength: 1, maxLength: 5 })
    .map((segments) => segments.join('/'))
    .filter((value) => value.split('/').every((segment) => segment !== '.' && segment !== '..'));

  test('any allowed key is stored, listed and read back by its own name', async () => {
    const seen = new Set<string>();
    const property = fc.asyncProperty(key, async (value) => {
      await put(value);
      seen.add(value);
      expect((await download(value)).toString()).toBe(value);
      expect((await under.service.fileInfo(value)).key).toBe(value);
      expect(await listed('')).toEqual([...seen].toSorted());
    });
    await fc.assert(property, { numRuns: 60 });
  });

  test('any other text is INVALID_KEY and never reaches the driver', async () => {
    const property = fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
      fc.pre(!/^[A-Za-z0-9!_.*'()@:|=+,/-]+$/.test(text));
      await expect(under.service.downloadFile(text)).rejects.toMatchObject({ code: 'INVALID_KEY' });
      await expect(under.service.deleteFile(text)).rejects.toMatchObject({ code: 'INVALID_KEY' });
    });
    await fc.assert(property);
    expect(under.store.calls('get') + under.store.calls('delete')).toBe(0);
  });
});

describe('getSignedUrl and getUploadForm', () => {
  test('they last from one second to seven days', async () => {
    const form = { contentType: 'image/jpeg', maxBytes: 1 };
    for (const seconds of [1, 604_800]) {
      expect(await under.service.getSignedUrl('items/a.jpg', seconds)).toContain('/items/a.jpg?');
      const { fields } = await under.service.getUploadForm('temp/a', { ...form, expiresInSeconds: seconds });
      expect(fields['key']).toBe('temp/a');
    }
    for (const seconds of [0, -1, 1.5, 604_801, Number.NaN]) {
      const url = under.service.getSignedUrl('items/a.jpg', seconds);
      await expect(url).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
      const upload = under.service.getUploadForm('temp/a', { ...form, expiresInSeconds: seconds });
      await expect(upload).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    }
    const empty = under.service.getUploadForm('temp/a', { ...form, maxBytes: 0, expiresInSeconds: 60 });
    await expect(empty).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });

  test('a store without the capability answers UNSUPPORTED', async () => {
    const capabilities = {
      ...under.store.capabilities,
      supportsPresignedGet: false,
      supportsPresignedPost: false,
      supportsArchive: false,
    };
    const bare = createStorageService({ store: { ...under.store, capabilities } });
    const form = { contentType: 'image/jpeg', maxBytes: 1, expiresInSeconds: 60 };
    const calls = [bare.getSignedUrl('a', 60), bare.getUploadForm('a', form), bare.restoreFile('a', 1)];
    for (const call of await Promise.allSettled(calls))
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'UNSUPPORTED' } });
  });
});

describe('listFiles', () => {
  test('it gives every file of a prefix, page by page, in order', async () => {
    for (const key of ['items/b', 'items/a', 'items/a/1', 'other', 'items/c', 'items/a-']) await put(key);
    expect(await listed('items/')).toEqual(['items/a', 'items/a-', 'items/a/1', 'items/b', 'items/c']);
    const { objects, next } = await under.service
      .listFiles('items/', { pageSize: 2, after: 'items/a' })
      .page();
    expect(objects.map(({ key }) => key)).toEqual(['items/a-', 'items/a/1']);
    expect(next).toBe('items/a/1');
    expect((await under.service.listFiles('nothing').page()).next).toBeNull();
  });

  test('a bad prefix or page size is refused', () => {
    expect(() => under.service.listFiles('../')).toThrow('The prefix is not valid.');
    for (const pageSize of [0, 1001, 1.5])
      expect(() => under.service.listFiles('a', { pageSize })).toThrow('A page has 1 to 1000 files.');
  });
});

describe('copyFile and moveFile', () => {
  test('a copy leaves the source, a move does not', async () => {
    await put('a', 'text');
    expect(await under.service.copyFile('a', 'b')).toMatchObject({ key: 'b', bytes: 4 });
    expect(await under.service.moveFile('a', 'c/d')).toMatchObject({ key: 'c/d', bytes: 4 });
    expect(await listed('')).toEqual(['b', 'c/d']);
    expect((await download('c/d')).toString()).toBe('text');
  });

  test('a file is not moved onto itself, and copied onto itself only into another class', async () => {
    await put('a');
    await expect(under.service.moveFile('a', 'a')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(under.service.copyFile('a', 'a')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await under.service.copyFile('a', 'a', { storageClass: 'GLACIER' });
    await expect(under.service.downloadFile('a')).rejects.toMatchObject({ code: 'OBJECT_ARCHIVED' });
    await under.service.restoreFile('a', 1);
    expect((await download('a')).toString()).toBe('a');
  });

  test('a source that has become another is not copied nor moved', async () => {
    const etag = await put('a', 'old');
    await put('a', 'new');
    await expect(under.service.copyFile('a', 'b', { ifMatch: etag })).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
    });
    await expect(under.service.moveFile('a', 'b', { ifMatch: etag })).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
    });
    expect(await listed('')).toEqual(['a']);
  });

  test('a move that died between copy and delete is finished by the same call', async () => {
    const etag = await put('a', 'text');
    const gone = { when: 'before', error: new StorageError('INTERNAL') } as const;
    under.store.plan('delete', gone);
    await expect(under.service.moveFile('a', 'b', { ifMatch: etag })).rejects.toMatchObject({
      code: 'INTERNAL',
    });
    expect(await listed('')).toEqual(['a', 'b']);
    expect((await under.service.moveFile('a', 'b', { ifMatch: etag })).key).toBe('b');
    expect(await listed('')).toEqual(['b']);
    expect((await under.service.moveFile('a', 'b', { ifMatch: etag })).key).toBe('b');
    await expect(under.service.moveFile('a', 'b')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(under.service.moveFile('a', 'b', { ifMatch: 'other' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('measuring and classifying', () => {
  test('each call is measured once, with its attempts and its end', async () => {
    under.store.plan('put', slowDown);
    await put('a');
    await expect(under.service.downloadFile('missing')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(under.measurements).toMatchObject([
      { operation: 'upload', attempts: 2, code: null },
      { operation: 'download', attempts: 1, code: 'NOT_FOUND' },
    ]);
    for (const { ms } of under.measurements) expect(ms).toBeGreaterThanOrEqual(0);
  });

  test('what a driver did not foresee is INTERNAL, keeps its cause and is not repeated', async () => {
    const bug = new TypeError('x is not a function');
    under.store.plan('head', { when: 'before', error: bug });
    await expect(under.service.fileInfo('a')).rejects.toMatchObject({ code: 'INTERNAL', cause: bug });
    expect(under.store.calls('head')).toBe(1);
  });

  test('a signal that has aborted before stops every call before the driver', async () => {
    const signal = AbortSignal.abort();
    const calls = [
      under.service.uploadFile(Buffer.from('x'), { key: 'a', ...JPEG, signal }),
      under.service.downloadFile('a', { signal }),
      under.service.fileInfo('a', signal),
      under.service.deleteFile('a', signal),
      under.service.listFiles('a', { signal }).page(),
      under.service.copyFile('a', 'b', { signal }),
      under.service.moveFile('a', 'b', { signal }),
      under.service.ping(signal),
    ];
    for (const call of await Promise.allSettled(calls))
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'ABORTED' } });
    for (const operation of ['put', 'get', 'head', 'delete', 'list', 'copy', 'ping'] as const)
      expect(under.store.calls(operation)).toBe(0);
  });

  test('a deleted file is gone from the replica too', async () => {
    await put('a');
    await under.replica.put(objectKey('a'), Buffer.from('a'), JPEG);
    await under.service.deleteFile('a');
    await under.service.deleteFile('a');
    await expect(under.replica.head(objectKey('a'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(under.service.fileInfo('a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('it answers a ping, and says when the store does not', async () => {
    await under.service.ping();
    under.store.plan('ping', slowDown);
    await expect(under.service.ping()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });
});
