import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import type { ObjectInfo, PutOptions } from '#src/ports/object-store.ts';
import { chunked, closed, folder, outcome, PLAIN, read, type StoreUnderTest } from './support.ts';

/** Bytes and what is said about them come back as they went in. */
export function bytesAndMetadata(under: () => StoreUnderTest): void {
  describe('bytes', () => {
    test.each([0, 1, 65_535, 65_536, 65_537, 1_048_576, 3_000_001])(
      '%i bytes come back as they went in',
      async (size) => {
        const { store } = under();
        const at = folder();
        const bytes = randomBytes(size);
        await store.put(at('buffer'), bytes, PLAIN);
        await store.put(at('stream'), chunked(bytes), PLAIN);
        expect((await read(store, at('buffer'))).equals(bytes)).toBe(true);
        expect((await read(store, at('stream'))).equals(bytes)).toBe(true);
        expect((await store.head(at('stream'))).bytes).toBe(size);
      },
    );

    test('a view into a larger buffer stores the view alone', async () => {
      const { store } = under();
      const key = folder()('view');
      await store.put(key, new Uint8Array(randomBytes(1000).buffer, 10, 5).fill(7), PLAIN);
      expect([...(await read(store, key))]).toEqual([7, 7, 7, 7, 7]);
    });

    test('ranges have inclusive bounds, are cut at the end and refused past it', async () => {
      const { store } = under();
      const key = folder()('range');
      const bytes = randomBytes(200_000);
      await store.put(key, bytes, PLAIN);
      for (const [start, end] of [
        [0, 0],
        [0, 99],
        [100_000, 199_998],
        [199_999, 199_999],
        [150_000, 900_000],
      ] as const)
        expect(
          (await read(store, key, { range: { start, end } })).equals(bytes.subarray(start, end + 1)),
        ).toBe(true);
      expect((await read(store, key, { range: { start: 199_990 } })).equals(bytes.subarray(199_990))).toBe(
        true,
      );
      expect(await outcome(store.get(key, { range: { start: 200_000 } }))).toBe('RANGE_NOT_SATISFIABLE');
    });

    test('a range describes the whole object', async () => {
      const { store } = under();
      const key = folder()('range');
      await store.put(key, Buffer.from('0123456789'), PLAIN);
      const { info, body } = await store.get(key, { range: { start: 2, end: 4 } });
      expect((await buffer(body)).toString()).toBe('234');
      expect(info.bytes).toBe(10);
    });

    test('an empty object has no range', async () => {
      const { store } = under();
      const key = folder()('empty');
      await store.put(key, Buffer.alloc(0), PLAIN);
      expect(await outcome(store.get(key, { range: { start: 0 } }))).toBe('RANGE_NOT_SATISFIABLE');
    });

    test('a body may be dropped unread', async () => {
      const { store } = under();
      const key = folder()('dropped');
      await store.put(key, randomBytes(1_000_000), PLAIN);
      const { body } = await store.get(key);
      await closed(body.destroy());
      expect(body.readableEnded).toBe(false);
      expect((await read(store, key)).length).toBe(1_000_000);
    });
  });

  describe('metadata', () => {
    test('type, cache control and any text come back, names in lower case', async () => {
      const { store } = under();
      const key = folder()('described.jpg');
      const put: PutOptions = {
        contentType: 'image/jpeg',
        cacheControl: 'public, max-age=31536000, immutable',
        metadata: {
          Title: 'Café "Zürich" — 東京 🚲',
          plain: 'a b',
          spaced: ' kept ',
          empty: '',
          percent: '100%25',
        },
      };
      const before = Date.now();
      const stored = await store.put(key, Buffer.from('x'), put);
      const { info, body } = await store.get(key);
      body.destroy();
      expect(await store.head(key)).toEqual(info);
      expect(described(stored)).toEqual(described(info));
      expect(info).toMatchObject({
        key,
        bytes: 1,
        contentType: put.contentType,
        cacheControl: put.cacheControl,
        storageClass: 'STANDARD',
      });
      expect(info.metadata).toEqual({
        title: 'Café "Zürich" — 東京 🚲',
        plain: 'a b',
        spaced: ' kept ',
        empty: '',
        percent: '100%25',
      });
      expect(Math.abs(info.modifiedAt.getTime() - before)).toBeLessThan(60_000);
    });

    test('what was not given is absent', async () => {
      const { store } = under();
      const key = folder()('plain');
      await store.put(key, Buffer.from('x'), PLAIN);
      expect(await store.head(key)).toMatchObject({
        cacheControl: null,
        metadata: {},
        contentType: PLAIN.contentType,
      });
    });

    test('another content has another etag', async () => {
      const { store } = under();
      const key = folder()('etag');
      const first = await store.put(key, Buffer.from('one'), PLAIN);
      const second = await store.put(key, Buffer.from('two'), PLAIN);
      expect(second.etag).not.toBe(first.etag);
      expect(first.etag).toMatch(/^[^"\s]+$/);
    });
  });
}

/** Without the age, which a store may round. */
function described(info: ObjectInfo): object {
  return { ...info, modifiedAt: null };
}
