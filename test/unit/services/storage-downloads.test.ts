import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import type { ObjectStore } from '#src/ports/object-store.ts';
import { createStorageService } from '#src/services/storage.service.ts';
import { type Fault, slowDown } from '#test/support/faulty-store.ts';
import { type StorageUnderFaults, storageUnderFaults } from '#test/support/storage-under-faults.ts';

let under: StorageUnderFaults;
beforeEach(async () => {
  under = await storageUnderFaults();
});
afterEach(() => under.close());

const JPEG = { contentType: 'image/jpeg' };
const bytes = randomBytes(1_500_000);
const brokenAfter = (afterBytes: number): Fault => ({
  when: 'body',
  afterBytes,
  error: new StorageError('STORAGE_UNAVAILABLE'),
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

/** `get` of a store, keeping the bodies it opened. */
function spied(store: ObjectStore, opened: Readable[]): ObjectStore['get'] {
  return async (...args) => {
    const answer = await store.get(...args);
    opened.push(answer.body);
    return answer;
  };
}
