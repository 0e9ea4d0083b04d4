import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import { objectKey } from '#src/domain/keys.ts';
import { slowDown } from '#test/support/faulty-store.ts';
import { type StorageUnderFaults, storageUnderFaults } from '#test/support/storage-under-faults.ts';

let under: StorageUnderFaults;
beforeEach(async () => {
  under = await storageUnderFaults();
});
afterEach(() => under.close());

const JPEG = { contentType: 'image/jpeg' };
const bytes = randomBytes(1_500_000);

describe('fail-over', () => {
  beforeEach(async () => {
    await under.replica.put(objectKey('items/a'), bytes, JPEG);
  });

  test('reads the primary cannot answer are answered by the replica', async () => {
    for (const operation of ['get', 'head'] as const)
      under.store.plan(operation, slowDown, slowDown, slowDown);
    const { body, servedBy } = await under.service.downloadFile('items/a');
    expect(servedBy).toBe('replica');
    expect((await buffer(body)).equals(bytes)).toBe(true);
    expect((await under.service.fileInfo('items/a')).bytes).toBe(bytes.length);
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
    await expect(under.service.downloadFile('items/a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(under.service.fileInfo('items/a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(asked).toEqual(['items/a', 'items/a']);
    expect(under.replica.calls('get') + under.replica.calls('head')).toBe(0);
  });

  test('what is being written is neither read from the replica nor gone', async () => {
    under.rows.standingOf = async () => 'writing';
    under.store.plan('head', slowDown, slowDown, slowDown);
    await expect(under.service.fileInfo('items/a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(under.replica.calls('head')).toBe(0);
  });

  test('while the rows cannot be asked nothing is read from the replica', async () => {
    under.rows.standingOf = () => Promise.reject(new StorageError('DATABASE_UNAVAILABLE'));
    under.store.plan('get', slowDown, slowDown, slowDown);
    await expect(under.service.downloadFile('items/a')).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
    expect(under.replica.calls('get')).toBe(0);
  });

  test('the rows are not asked while the primary answers', async () => {
    under.rows.standingOf = () => Promise.reject(new Error('asked'));
    await under.service.uploadFile(bytes, { key: 'items/a', ...JPEG });
    expect((await under.service.fileInfo('items/a')).bytes).toBe(bytes.length);
    await expect(under.service.fileInfo('items/b')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a replica that is behind does not say that a file is gone: the primary’s failure stands', async () => {
    under.store.plan('head', slowDown, slowDown, slowDown);
    await expect(under.service.fileInfo('items/not/replicated/yet')).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
    under.store.plan('get', slowDown, slowDown, slowDown);
    await expect(under.service.downloadFile('items/a', { ifMatch: 'newer' })).rejects.toMatchObject({
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
    await expect(under.service.deleteFile('items/a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await expect(under.replica.head(objectKey('items/a'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await under.service.uploadFile(bytes, { key: 'items/b', ...JPEG });
    under.replica.plan('delete', slowDown, slowDown, slowDown);
    await expect(under.service.deleteFile('items/b')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await expect(under.service.fileInfo('items/b')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await under.service.deleteFile('items/b');
  });

  test('a file the primary says is gone is not read from the replica', async () => {
    await expect(under.service.downloadFile('items/a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(under.replica.calls('get')).toBe(0);
  });

  test('when both fail the caller is told', async () => {
    under.store.plan('get', slowDown, slowDown, slowDown);
    under.replica.plan('get', slowDown, slowDown, slowDown);
    await expect(under.service.downloadFile('items/a')).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
  });

  test('an outage is waited for once: the next reads ask the replica first, and the primary for what it lacks', async () => {
    await under.store.put(objectKey('items/new'), bytes, JPEG);
    under.store.plan('get', slowDown, slowDown, slowDown);
    (await under.service.downloadFile('items/a')).body.destroy();
    expect((await under.service.fileInfo('items/a')).bytes).toBe(bytes.length);
    expect(under.store.calls('head')).toBe(0);
    expect((await under.service.fileInfo('items/new')).bytes).toBe(bytes.length);
    expect(under.store.calls('head')).toBe(1);
    // The primary has answered: it is asked first again.
    await expect(under.service.fileInfo('items/a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('what is gone by the rows is not read from the replica in an outage either', async () => {
    under.rows.standingOf = async (key) => (key === 'items/a' ? 'gone' : 'live');
    await under.replica.put(objectKey('items/b'), bytes, JPEG);
    under.store.plan('get', ...Array.from({ length: 6 }, () => slowDown));
    await expect(under.service.downloadFile('items/a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(under.service.downloadFile('items/a')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const { servedBy, body } = await under.service.downloadFile('items/b');
    body.destroy();
    expect(servedBy).toBe('replica');
  });

  test('what has not come to the replica yet is not missing: the primary’s failure stands', async () => {
    await under.replica.delete(objectKey('items/a'));
    under.store.plan('head', slowDown, slowDown, slowDown);
    await expect(under.service.fileInfo('items/a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(under.replica.calls('head')).toBe(1);
  });

  test.each([
    ['what is on its way in', 'temp/uploads/a', 'temp/uploads/'],
    ['an anchor of the audit ledger', 'audit/anchors/a', 'audit/anchors/'],
    ['a backup', 'backups/a', 'backups/'],
  ])('%s has no row, so the primary alone answers, and an outage is an outage', async (_, name, prefix) => {
    under.rows.standingOf = () => Promise.resolve('gone');
    const key = objectKey(name);
    await under.replica.put(key, bytes, JPEG);
    for (const operation of ['get', 'head', 'list'] as const)
      under.store.plan(operation, slowDown, slowDown, slowDown);
    const reads = [
      () => under.service.downloadFile(key),
      () => under.service.fileInfo(key),
      () => under.service.listFiles(prefix).page(),
    ];
    for (const read of reads) await expect(read()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect((['get', 'head', 'list'] as const).map((operation) => under.replica.calls(operation))).toEqual([
      0, 0, 0,
    ]);
  });

  test('what is asked of the primary is never answered by the replica, whose copy may lie in another class', async () => {
    under.store.plan('head', slowDown, slowDown, slowDown);
    await expect(under.service.primaryInfo('items/a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(under.replica.calls('head')).toBe(0);
    await under.service.uploadFile(bytes, { key: 'items/a', ...JPEG });
    expect((await under.service.primaryInfo('items/a')).bytes).toBe(bytes.length);
  });

  test('without a replica the primary’s failure stands', async () => {
    const alone = await storageUnderFaults(false);
    alone.store.plan('head', slowDown, slowDown, slowDown);
    await expect(alone.service.fileInfo('items/a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(alone.replica.calls('head')).toBe(0);
    await alone.service.uploadFile(bytes, { key: 'items/a', ...JPEG });
    await alone.service.moveFile('items/a', 'items/b');
    await alone.service.deleteFile('items/b');
    expect(alone.replica.calls('delete')).toBe(0);
    await alone.close();
  });

  test('writes stay with the primary', async () => {
    under.store.plan('put', slowDown, slowDown, slowDown);
    const upload = under.service.uploadFile(bytes, { key: 'items/b', ...JPEG });
    await expect(upload).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(under.replica.calls('put')).toBe(1);
  });
});
