import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import { answerLost, slowDown } from '#test/support/faulty-store.ts';
import { type StorageUnderFaults, storageUnderFaults } from '#test/support/storage-under-faults.ts';

let under: StorageUnderFaults;
beforeEach(async () => {
  under = await storageUnderFaults();
});
afterEach(() => under.close());

const JPEG = { contentType: 'image/jpeg' };
const bytes = randomBytes(1_500_000);
const sha256 = createHash('sha256').update(bytes).digest('hex');
const stream = () =>
  Readable.from([bytes.subarray(0, 700_000), bytes.subarray(700_000)], { objectMode: false });

describe('uploading while the store fails', () => {
  test.each([
    ['a buffer', bytes],
    ['a factory of streams', stream],
  ])('%s is sent again, whether the call or its answer was lost', async (_, source) => {
    under.store.plan('put', slowDown, answerLost);
    const uploaded = await under.service.uploadFile(source, {
      key: 'temp/a',
      ...JPEG,
      expectedSha256: sha256,
    });
    expect(uploaded).toMatchObject({ bytes: bytes.length, sha256 });
    expect(under.store.calls('put')).toBe(3);
    expect(under.waits).toEqual([50, 100]);
  });

  test('it gives up after its attempts', async () => {
    under.store.plan('put', slowDown, slowDown, slowDown);
    const upload = under.service.uploadFile(bytes, { key: 'temp/a', ...JPEG });
    await expect(upload).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(under.store.calls('put')).toBe(3);
  });

  test('a stream is sent again only while nothing of it has been read', async () => {
    under.store.plan('put', slowDown, answerLost);
    const source = stream();
    const upload = under.service.uploadFile(source, { key: 'temp/a', ...JPEG });
    await expect(upload).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(under.store.calls('put')).toBe(2);
    expect(source.destroyed).toBe(true);
  });

  test.each([
    ['a buffer', bytes],
    ['a factory of streams', stream],
  ])('a create of %s whose answer was lost knows its own object', async (_, source) => {
    under.store.plan('put', answerLost);
    const create = { key: 'temp/a', ...JPEG, ifNoneMatch: true };
    expect(await under.service.uploadFile(source, create)).toMatchObject({ sha256, bytes: bytes.length });
  });

  test('a repeated create does not take the object of another for its own', async () => {
    await under.service.uploadFile(Buffer.from('theirs'), { key: 'temp/a', ...JPEG });
    under.store.plan('put', slowDown);
    const create = under.service.uploadFile(bytes, { key: 'temp/a', ...JPEG, ifNoneMatch: true });
    await expect(create).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect((await under.service.fileInfo('temp/a')).bytes).toBe(6);
  });

  test.each(['STORAGE_FULL', 'FORBIDDEN'] as const)('%s is not tried again', async (code) => {
    under.store.plan('put', { when: 'before', error: new StorageError(code) });
    await expect(under.service.uploadFile(bytes, { key: 'temp/a', ...JPEG })).rejects.toMatchObject({ code });
    expect(under.store.calls('put')).toBe(1);
  });
});

describe('other calls while the store fails', () => {
  test('each is made again', async () => {
    await under.service.uploadFile(bytes, { key: 'a', ...JPEG, storageClass: 'GLACIER' });
    for (const operation of ['head', 'restore', 'copy', 'list', 'delete', 'get'] as const)
      under.store.plan(operation, slowDown, answerLost);
    await under.service.fileInfo('a');
    await under.service.restoreFile('a', 1);
    await under.service.copyFile('a', 'b', { storageClass: 'STANDARD' });
    expect((await under.service.listFiles('').page()).objects).toHaveLength(2);
    const { body } = await under.service.downloadFile('b');
    expect((await buffer(body)).equals(bytes)).toBe(true);
    await under.service.deleteFile('a');
    expect(under.measurements.slice(1).map(({ attempts }) => attempts)).toEqual([3, 3, 3, 3, 3, 4]);
  });
});
