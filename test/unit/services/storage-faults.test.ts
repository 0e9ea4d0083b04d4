import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import { objectKey } from '#src/domain/keys.ts';
import type { ObjectStore } from '#src/ports/object-store.ts';
import { createStorageService } from '#src/services/storage.service.ts';
import { answerLost, type Fault, slowDown } from '#test/support/faulty-store.ts';
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
const brokenAfter = (afterBytes: number): Fault => ({
  when: 'body',
  afterBytes,
  error: new StorageError('STORAGE_UNAVAILABLE'),
});

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

describe('downloading while the store fails', () => {
  beforeEach(async () => {
    await under.service.uploadFile(bytes, { key: 'a', ...JPEG });
  });

  test('a body that breaks goes on where it was', async () => {
    under.store.plan('get', brokenAfter(0), brokenAfter(100_000), slowDown, brokenAfter(1));
    const { body } = await under.service.downloadFile('a');
    expect((await buffer(body)).equals(bytes)).toBe(true);
    expect(under.store.calls('get')).toBe(5);
  });

  test('a range goes on within its bounds', async () => {
    under.store.plan('get', brokenAfter(300_000), brokenAfter(10));
    const { body } = await under.service.downloadFile('a', { range: { start: 10, end: 700_009 } });
    expect((await buffer(body)).equals(bytes.subarray(10, 700_010))).toBe(true);
  });

  test('a body never goes on with another content', async () => {
    under.store.plan('get', brokenAfter(100_000));
    const { body } = await under.service.downloadFile('a');
    await under.service.uploadFile(randomBytes(1_500_000), { key: 'a', ...JPEG });
    await expect(buffer(body)).rejects.toMatchObject({ code: 'VERSION_CONFLICT' });
  });

  test('it gives up on a body that breaks again and again', async () => {
    under.store.plan(
      'get',
      brokenAfter(10),
      brokenAfter(10),
      brokenAfter(10),
      brokenAfter(10),
      brokenAfter(10),
    );
    const { body } = await under.service.downloadFile('a');
    await expect(buffer(body)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(under.store.calls('get')).toBe(4);
  });

  test('a body that breaks for good is not taken up again', async () => {
    under.store.plan('get', { when: 'body', afterBytes: 10, error: new StorageError('INTERNAL') });
    const { body } = await under.service.downloadFile('a');
    await expect(buffer(body)).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(under.store.calls('get')).toBe(1);
  });

  test('a dropped body lets the store’s go, read or unread', async () => {
    for (const begin of [false, true]) {
      const opened: Readable[] = [];
      const watched = { ...under.store, get: spied(under.store, opened) };
      const { body } = await createStorageService({ store: watched }).downloadFile('a');
      if (begin) await body[Symbol.asyncIterator]().next();
      body.destroy();
      const [inner] = opened;
      if (inner?.closed === false) await new Promise((resolve) => inner.once('close', resolve));
      expect(inner?.destroyed).toBe(true);
    }
  });
});

describe('fail-over', () => {
  beforeEach(async () => {
    await under.replica.put(objectKey('a'), bytes, JPEG);
  });

  test('reads the primary cannot answer are answered by the replica', async () => {
    for (const operation of ['get', 'head'] as const)
      under.store.plan(operation, slowDown, slowDown, slowDown);
    const { body, servedBy } = await under.service.downloadFile('a');
    expect(servedBy).toBe('replica');
    expect((await buffer(body)).equals(bytes)).toBe(true);
    expect((await under.service.fileInfo('a')).bytes).toBe(bytes.length);
    expect(under.store.calls('get')).toBe(3);
  });

  test('what is gone by the rows is not read from the replica, which may still have it', async () => {
    const asked: string[] = [];
    under.rows.standingOf = async (key) => {
      asked.push(key);
      return 'gone';
    };
    for (const operation of ['get', 'head'] as const)
      under.store.plan(operation, slowDown, slowDown, slowDown);
    await expect(under.service.downloadFile('a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(under.service.fileInfo('a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(asked).toEqual(['a', 'a']);
    expect(under.replica.calls('get') + under.replica.calls('head')).toBe(0);
  });

  test('what is being written is neither read from the replica nor gone', async () => {
    under.rows.standingOf = async () => 'writing';
    under.store.plan('head', slowDown, slowDown, slowDown);
    await expect(under.service.fileInfo('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(under.replica.calls('head')).toBe(0);
  });

  test('while the rows cannot be asked nothing is read from the replica', async () => {
    under.rows.standingOf = () => Promise.reject(new StorageError('DATABASE_UNAVAILABLE'));
    under.store.plan('get', slowDown, slowDown, slowDown);
    await expect(under.service.downloadFile('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(under.replica.calls('get')).toBe(0);
  });

  test('the rows are not asked while the primary answers', async () => {
    under.rows.standingOf = () => Promise.reject(new Error('asked'));
    await under.service.uploadFile(bytes, { key: 'a', ...JPEG });
    expect((await under.service.fileInfo('a')).bytes).toBe(bytes.length);
    await expect(under.service.fileInfo('b')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a replica that is behind does not say that a file is gone: the primary’s failure stands', async () => {
    under.store.plan('head', slowDown, slowDown, slowDown);
    await expect(under.service.fileInfo('not/replicated/yet')).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
    under.store.plan('get', slowDown, slowDown, slowDown);
    await expect(under.service.downloadFile('a', { ifMatch: 'newer' })).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
  });

  test('a listing is the primary’s or none: what another lacks cannot be told from what is gone', async () => {
    under.store.plan('list', slowDown, slowDown, slowDown);
    await expect(under.service.listFiles('').page()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(under.replica.calls('list')).toBe(0);
  });

  test('a delete reaches the replica while the primary is down, and the other way round, and is not done', async () => {
    under.store.plan('delete', slowDown, slowDown, slowDown);
    await expect(under.service.deleteFile('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await expect(under.replica.head(objectKey('a'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await under.service.uploadFile(bytes, { key: 'b', ...JPEG });
    under.replica.plan('delete', slowDown, slowDown, slowDown);
    await expect(under.service.deleteFile('b')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await expect(under.service.fileInfo('b')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await under.service.deleteFile('b');
  });

  test('a file the primary says is gone is not read from the replica', async () => {
    await expect(under.service.downloadFile('a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(under.replica.calls('get')).toBe(0);
  });

  test('when both fail the caller is told', async () => {
    under.store.plan('get', slowDown, slowDown, slowDown);
    under.replica.plan('get', slowDown, slowDown, slowDown);
    await expect(under.service.downloadFile('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });

  test('an outage is waited for once: the next reads ask the replica first, and the primary for what it lacks', async () => {
    await under.store.put(objectKey('new'), bytes, JPEG);
    under.store.plan('get', slowDown, slowDown, slowDown);
    await under.service.downloadFile('a');
    expect((await under.service.fileInfo('a')).bytes).toBe(bytes.length);
    expect(under.store.calls('head')).toBe(0);
    expect((await under.service.fileInfo('new')).bytes).toBe(bytes.length);
    expect(under.store.calls('head')).toBe(1);
    // The primary has answered: it is asked first again.
    await expect(under.service.fileInfo('a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('what is gone by the rows is not read from the replica in an outage either', async () => {
    under.rows.standingOf = async (key) => (key === 'a' ? 'gone' : 'live');
    await under.replica.put(objectKey('b'), bytes, JPEG);
    under.store.plan('get', ...Array.from({ length: 6 }, () => slowDown));
    await expect(under.service.downloadFile('a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(under.service.downloadFile('a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const { servedBy, body } = await under.service.downloadFile('b');
    body.destroy();
    expect(servedBy).toBe('replica');
  });

  test('what has not come to the replica yet is not missing: the primary’s failure stands', async () => {
    await under.replica.delete(objectKey('a'));
    under.store.plan('head', slowDown, slowDown, slowDown);
    await expect(under.service.fileInfo('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(under.replica.calls('head')).toBe(1);
  });

  test('what is on its way in is never read from a replica, which may lag behind', async () => {
    const key = objectKey('temp/uploads/a');
    await under.replica.put(key, bytes, JPEG);
    for (const operation of ['get', 'head', 'list'] as const)
      under.store.plan(operation, slowDown, slowDown, slowDown);
    const reads = [
      () => under.service.downloadFile(key),
      () => under.service.fileInfo(key),
      () => under.service.listFiles('temp/uploads/').page(),
    ];
    for (const read of reads) await expect(read()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect((['get', 'head', 'list'] as const).map((operation) => under.replica.calls(operation))).toEqual([
      0, 0, 0,
    ]);
  });

  test('without a replica the primary’s failure stands', async () => {
    const alone = await storageUnderFaults(false);
    alone.store.plan('head', slowDown, slowDown, slowDown);
    await expect(alone.service.fileInfo('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(alone.replica.calls('head')).toBe(0);
    await alone.service.uploadFile(bytes, { key: 'a', ...JPEG });
    await alone.service.moveFile('a', 'b');
    await alone.service.deleteFile('b');
    expect(alone.replica.calls('delete')).toBe(0);
    await alone.close();
  });

  test('writes stay with the primary', async () => {
    under.store.plan('put', slowDown, slowDown, slowDown);
    const upload = under.service.uploadFile(bytes, { key: 'b', ...JPEG });
    await expect(upload).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(under.replica.calls('put')).toBe(1);
  });
});

/** `get` of a store, keeping the bodies it opened. */
function spied(store: ObjectStore, opened: Readable[]): ObjectStore['get'] {
  return async (...args) => {
    const answer = await store.get(...args);
    opened.push(answer.body);
    return answer;
  };
}
