import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createS3ObjectStore, type S3ObjectStore } from '#src/adapters/object-store/s3.ts';
import { type ObjectKey, objectKey } from '#src/domain/keys.ts';
import { createStorageService } from '#src/services/storage.service.ts';
import { chunked, outcome, PLAIN, read } from '#test/contracts/object-store/support.ts';
import { type FaultProxy, SLOW_DOWN, startFaultProxy } from '#test/support/fault-proxy.ts';
import { cephServer, createTestBucket, type TestBucket } from '#test/support/s3-server.ts';
import { optionsFor } from '#test/support/s3-store.ts';

const ceph = cephServer();
const MIB = 1024 ** 2;
const LARGE = 41 * MIB;

describe.skipIf(ceph === null)('S3 behind a bad line (Ceph; skipped: no server)', () => {
  let bucket: TestBucket;
  let proxy: FaultProxy;
  let store: S3ObjectStore;
  /** The same bucket, by a way without faults. */
  let behind: S3ObjectStore;
  let keys = 0;
  let key: ObjectKey;
  const seen = (method: string) => proxy.seen.filter((request) => request.method === method);

  beforeAll(async () => {
    if (ceph === null) return;
    bucket = await createTestBucket(ceph);
    behind = await createS3ObjectStore(optionsFor(bucket));
  });
  beforeEach(async () => {
    proxy = await startFaultProxy(bucket.server.endpoint);
    store = await createS3ObjectStore({ ...optionsFor(bucket), endpoint: proxy.url });
    key = objectKey(`faults/${(keys += 1)}`);
  });
  afterEach(async () => {
    proxy.inject(() => null);
    await store.close();
    await proxy.close();
    expect(await behind.sweepIncomplete(0)).toBe(0);
  });
  afterAll(async () => {
    await behind.close();
    await bucket.close();
  });

  /** Of requests from now on, those of a method meet the faults one after another. */
  function next(
    method: string,
    ...faults: Parameters<FaultProxy['inject']>[0] extends (r: never) => infer F ? F[] : never
  ) {
    proxy.inject((request) => (request.method === method ? (faults.shift() ?? null) : null));
  }

  test('a request costs one request, a large upload one for each part and two around them', async () => {
    const before = proxy.seen.length;
    await store.put(key, Buffer.from('x'), PLAIN);
    expect(await outcome(store.head(objectKey('faults/missing')))).toBe('NOT_FOUND');
    await read(store, key);
    expect(proxy.seen.slice(before).map(({ method }) => method)).toEqual(['PUT', 'HEAD', 'GET']);
    const large = proxy.seen.length;
    await store.put(objectKey(`${key}/large`), chunked(randomBytes(LARGE)), PLAIN);
    expect(proxy.seen.slice(large).map(({ method }) => method)).toEqual([
      'POST',
      ...Array.from({ length: 6 }, () => 'PUT'),
      'POST',
      // Ceph's answer to the last one names no etag.
      'HEAD',
    ]);
  });

  test('connections are used again, bodies of any size among them', async () => {
    const before = new Set(proxy.seen.map(({ connection }) => connection));
    for (let round = 0; round < 20; round += 1) {
      await store.put(key, randomBytes(3 * MIB), PLAIN);
      await read(store, key);
    }
    const opened = new Set(proxy.seen.map(({ connection }) => connection).filter((id) => !before.has(id)));
    expect(opened.size).toBeLessThanOrEqual(2);
  });

  test('a server that never recovers is asked by one loop alone, and answers STORAGE_UNAVAILABLE', async () => {
    const patience = { readMs: 600, writeMs: 600 };
    const hasty = await createS3ObjectStore({ ...optionsFor(bucket), endpoint: proxy.url, patience });
    const service = createStorageService({ store: hasty });
    proxy.inject(() => ({ kind: 'error', status: 500, code: 'InternalError' }));
    const before = proxy.seen.length;
    const started = performance.now();
    expect(await outcome(service.fileInfo(key))).toBe('STORAGE_UNAVAILABLE');
    expect(performance.now() - started).toBeLessThan(2_000);
    const asked = proxy.seen.length - before;
    expect(asked).toBeGreaterThan(2);
    // 600 ms hold no more than these of waits that are 50 ms, 100 ms, 200 ms … at most, each at least half a millisecond.
    expect(asked).toBeLessThan(40);
    await hasty.close();
  });

  test('what cannot succeed is asked once: denied, missing, not ours to send', async () => {
    for (const [code, status] of [
      ['AccessDenied', 403],
      ['NoSuchBucket', 404],
      ['InvalidArgument', 400],
    ] as const) {
      proxy.inject(() => ({ kind: 'error', status, code }));
      const before = proxy.seen.length;
      expect(await outcome(store.put(key, Buffer.from('x'), PLAIN))).not.toBeNull();
      expect(proxy.seen.length - before).toBe(1);
    }
  });

  test('the server is given the time that it asks for', async () => {
    next('HEAD', { kind: 'error', status: 503, code: 'SlowDown', headers: { 'retry-after': '1' } });
    await behind.put(key, Buffer.from('x'), PLAIN);
    const started = performance.now();
    await store.head(key);
    expect(performance.now() - started).toBeGreaterThanOrEqual(990);
  });

  test('an upload from a source that comes once ends well through resets, lost answers and SlowDown', async () => {
    for (const bytes of [randomBytes(5 * MIB), randomBytes(LARGE)]) {
      next('PUT', { kind: 'reset' }, SLOW_DOWN, { kind: 'answer lost' }, { kind: 'half a request' }, null, {
        kind: 'reset',
      });
      await store.put(key, chunked(bytes), PLAIN);
      expect((await read(behind, key)).equals(bytes)).toBe(true);
    }
  });

  test('a create whose answer was lost knows its own work; a twin’s is ALREADY_EXISTS', async () => {
    const create = { ...PLAIN, ifNoneMatch: true };
    next('PUT', { kind: 'answer lost' });
    const { etag } = await store.put(key, chunked(randomBytes(1000)), create);
    expect((await behind.head(key)).etag).toBe(etag);
    expect((await behind.head(key)).metadata).toEqual({});
    next('PUT', { kind: 'reset' });
    expect(await outcome(store.put(key, chunked(randomBytes(1000)), create))).toBe('ALREADY_EXISTS');
    expect((await behind.head(key)).etag).toBe(etag);
  });

  test('a completion whose answer was lost is found done', async () => {
    const bytes = randomBytes(17 * MIB);
    let posts = 0;
    proxy.inject(({ method }) => (method === 'POST' && (posts += 1) === 2 ? { kind: 'answer lost' } : null));
    const { etag } = await store.put(key, chunked(bytes), PLAIN);
    expect(await behind.head(key)).toMatchObject({ etag, bytes: bytes.length });
  });

  test('bytes that change on their way up are refused by the store and sent again', async () => {
    const bytes = randomBytes(100_000);
    next('PUT', { kind: 'corrupt request' });
    await store.put(key, bytes, PLAIN);
    expect(seen('PUT').length).toBeGreaterThanOrEqual(2);
    expect((await read(behind, key)).equals(bytes)).toBe(true);
  });

  test('an upload that is given up leaves nothing unfinished', async () => {
    const patience = { readMs: 300, writeMs: 300 };
    const hasty = await createS3ObjectStore({ ...optionsFor(bucket), endpoint: proxy.url, patience });
    proxy.inject(({ method, url }) =>
      method === 'PUT' && url.includes('partNumber=3') ? { kind: 'reset' } : null,
    );
    const source = chunked(randomBytes(LARGE));
    expect(await outcome(hasty.put(key, source, PLAIN))).toBe('STORAGE_UNAVAILABLE');
    expect(source.destroyed).toBe(true);
    expect(await outcome(behind.head(key))).toBe('NOT_FOUND');
    await hasty.close();
  });

  test('a part that cannot be sent ends the upload while its source is still waited for', async () => {
    const source = new Readable({ read() {} });
    source.push(randomBytes(25 * MIB));
    proxy.inject(({ method }) =>
      method === 'PUT' ? { kind: 'error', status: 403, code: 'AccessDenied' } : null,
    );
    expect(await outcome(store.put(key, source, PLAIN))).toBe('STORAGE_UNAVAILABLE');
    expect(source.destroyed).toBe(true);
  });

  test('a quota that is used up is STORAGE_FULL, in one request or in parts', async () => {
    proxy.inject(({ method }) =>
      method === 'PUT' ? { kind: 'error', status: 403, code: 'QuotaExceeded' } : null,
    );
    for (const bytes of [1000, LARGE])
      expect(await outcome(store.put(key, chunked(randomBytes(bytes)), PLAIN))).toBe('STORAGE_FULL');
    expect(await outcome(behind.head(key))).toBe('NOT_FOUND');
  });

  describe('reading', () => {
    const bytes = randomBytes(LARGE);
    const small = bytes.subarray(0, 2 * MIB);
    let large: ObjectKey;
    beforeAll(async () => {
      large = objectKey('faults/large');
      await behind.put(large, bytes, PLAIN);
      await behind.put(objectKey('faults/small'), small, PLAIN);
    });

    test('a large object on a slow line is read in ranges, and whole although these break, stall or come twice', async () => {
      const gets = () => proxy.seen.filter(({ method }) => method === 'GET').length;
      const before = gets();
      proxy.inject(({ method }) => {
        if (method !== 'GET') return null;
        const number = gets() - before;
        if (number === 1) return { kind: 'slow', bytesPerSecond: 20 * MIB };
        if (number === 2) return { kind: 'cut', afterBytes: MIB };
        if (number === 3) return SLOW_DOWN;
        return number === 4 ? { kind: 'reset' } : null;
      });
      expect((await read(store, large)).equals(bytes)).toBe(true);
      expect(gets() - before).toBeGreaterThan(6);
      await expect.poll(async () => (await behind.head(large)).bytes).toBe(LARGE);
    });

    test('a body that is cut fails, and the service goes on where it was', async () => {
      next('GET', { kind: 'cut', afterBytes: MIB });
      expect(await outcome(read(store, objectKey('faults/small')))).toBe('STORAGE_UNAVAILABLE');
      next('GET', { kind: 'cut', afterBytes: MIB }, { kind: 'cut', afterBytes: MIB / 2 });
      const service = createStorageService({ store });
      const { body } = await service.downloadFile('faults/small');
      const chunks: Buffer[] = [];
      for await (const chunk of body) if (chunk instanceof Buffer) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(small)).toBe(true);
      const ranged = proxy.seen.filter(({ method, url }) => method === 'GET' && url.includes('faults/small'));
      expect(ranged).toHaveLength(4);
    });

    test('an answer that says it is longer than it is never ends well', async () => {
      next('GET', { kind: 'wrong length', by: 10 });
      expect(await outcome(read(store, objectKey('faults/small')))).toBe('STORAGE_UNAVAILABLE');
    });

    test('a slow body is waited for', async () => {
      next('GET', { kind: 'slow', bytesPerSecond: 4 * MIB });
      expect((await read(store, objectKey('faults/small'))).equals(small)).toBe(true);
    });

    test('a list that is cut is asked for again', async () => {
      next('GET', { kind: 'cut', afterBytes: 100 }, { kind: 'wrong length', by: -40 }, { kind: 'reset' });
      const { objects } = await store.list('faults/', { limit: 1000 });
      expect(objects.map((object) => object.key)).toContain('faults/large');
    });
  });
});
