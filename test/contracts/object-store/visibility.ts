import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import {
  breaking,
  chunked,
  closed,
  folder,
  keys,
  outcome,
  PLAIN,
  read,
  type StoreUnderTest,
} from './support.ts';

/** An object is seen whole or not at all, and one of many wins. */
export function visibility(under: () => StoreUnderTest): void {
  describe('conditions', () => {
    test('of twenty creates at once one wins, and its bytes stay', async ({ skip }) => {
      const { store } = under();
      if (!store.capabilities.supportsConditionalCreate) skip('supportsConditionalCreate is false');
      const key = folder()('deep/er/race');
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, writer) =>
          outcome(store.put(key, Buffer.alloc(100_000, writer), { ...PLAIN, ifNoneMatch: true })),
        ),
      );
      const winners = results.flatMap((code, writer) => (code === null ? [writer] : []));
      expect(results.filter((code) => code === 'ALREADY_EXISTS')).toHaveLength(19);
      expect((await read(store, key)).equals(Buffer.alloc(100_000, winners[0]))).toBe(true);
    });

    test('a refused create leaves the object and lets the source go', async ({ skip }) => {
      const { store } = under();
      if (!store.capabilities.supportsConditionalCreate) skip('supportsConditionalCreate is false');
      const key = folder()('kept');
      const { etag } = await store.put(key, Buffer.from('old'), PLAIN);
      const source = chunked(randomBytes(300_000));
      expect(await outcome(store.put(key, source, { ...PLAIN, ifNoneMatch: true }))).toBe('ALREADY_EXISTS');
      expect((await store.head(key)).etag).toBe(etag);
      await closed(source);
    });

    test('a read pinned to an etag fails once the object is another', async ({ skip }) => {
      const { store } = under();
      if (!store.capabilities.supportsConditionalRead) skip('supportsConditionalRead is false');
      const key = folder()('pinned');
      const { etag } = await store.put(key, Buffer.from('old'), PLAIN);
      expect((await read(store, key, { ifMatch: etag })).toString()).toBe('old');
      await store.put(key, Buffer.from('new'), PLAIN);
      expect(await outcome(store.get(key, { ifMatch: etag }))).toBe('VERSION_CONFLICT');
    });
  });

  describe('visibility', () => {
    test('a source that breaks leaves nothing where nothing was', async () => {
      const { store } = under();
      const key = folder()('broken');
      await expect(store.put(key, breaking(randomBytes(700_000)), PLAIN)).rejects.toThrow('the source broke');
      expect(await outcome(store.head(key))).toBe('NOT_FOUND');
    });

    test('a source that breaks leaves the object that was there', async () => {
      const { store } = under();
      const key = folder()('broken');
      await store.put(key, Buffer.from('old'), PLAIN);
      await expect(store.put(key, breaking(randomBytes(700_000)), PLAIN)).rejects.toThrow('the source broke');
      expect((await read(store, key)).toString()).toBe('old');
    });

    test('a length other than the announced one leaves nothing', async () => {
      const { store } = under();
      const key = folder()('short');
      const [put] = await Promise.allSettled([
        store.put(key, chunked(randomBytes(1000)), { ...PLAIN, contentLength: 1001 }),
      ]);
      expect(put.status).toBe('rejected');
      expect(await outcome(store.head(key))).toBe('NOT_FOUND');
    });

    test('an aborted put of a stalled source ends, leaves what was there and lets the source go', async () => {
      const { store } = under();
      const key = folder()('aborted');
      await store.put(key, Buffer.from('old'), PLAIN);
      const controller = new AbortController();
      const source = new Readable({ read() {} });
      source.push(randomBytes(600_000));
      const put = store.put(key, source, { ...PLAIN, signal: controller.signal });
      controller.abort();
      expect(await outcome(put)).toBe('ABORTED');
      expect((await read(store, key)).toString()).toBe('old');
      await closed(source);
    });

    test('a signal that has aborted before stops every call', async () => {
      const { store } = under();
      const at = folder();
      const signal = AbortSignal.abort();
      await store.put(at('a'), Buffer.from('a'), PLAIN);
      const calls = [
        store.put(at('b'), Buffer.from('b'), { ...PLAIN, signal }),
        store.get(at('a'), { signal }),
        store.head(at('a'), signal),
        store.delete(at('a'), signal),
        store.list(at('a'), { limit: 1, signal }),
        store.copy(at('a'), at('b'), { signal }),
        store.ping(signal),
      ];
      expect(new Set(await Promise.all(calls.map(outcome)))).toEqual(new Set(['ABORTED']));
      expect(await keys(store, at('a').slice(0, -1))).toEqual([at('a')]);
    });

    test('an abort in the middle of a read ends the body with ABORTED', async () => {
      const { store } = under();
      const key = folder()('read');
      await store.put(key, randomBytes(3_000_000), PLAIN);
      const controller = new AbortController();
      const { body } = await store.get(key, { signal: controller.signal });
      const reading = (async () => {
        for await (const chunk of body) if (chunk instanceof Uint8Array) controller.abort();
      })();
      expect(await outcome(reading)).toBe('ABORTED');
    });

    test('readers during overwrites see one object whole, its metadata with its bytes', async () => {
      const { store } = under();
      const key = folder()('mixed');
      const sizes = [1_000, 70_000, 400_000];
      const write = (number: number) => {
        const bytes = Buffer.alloc(sizes[number % 3] ?? 1, number);
        return store.put(key, number % 2 === 0 ? bytes : chunked(bytes), {
          ...PLAIN,
          metadata: { sha256: sha256(bytes) },
        });
      };
      await write(0);
      let writing = true;
      const readers = Array.from({ length: 4 }, async () => {
        let seen = 0;
        while (writing) {
          const { info, body } = await store.get(key);
          const bytes = await buffer(body);
          expect(bytes.length).toBe(info.bytes);
          expect(sha256(bytes)).toBe(info.metadata['sha256']);
          seen += 1;
        }
        return seen;
      });
      try {
        for (let number = 1; number <= 40; number += 1) await write(number);
      } finally {
        writing = false;
      }
      for (const seen of await Promise.all(readers)) expect(seen).toBeGreaterThan(0);
    });

    test('an opened body stays whole when its object is overwritten or deleted', async () => {
      const { store } = under();
      const key = folder()('opened');
      const bytes = randomBytes(2_000_000);
      await store.put(key, bytes, PLAIN);
      const { body } = await store.get(key);
      await store.put(key, Buffer.from('new'), PLAIN);
      await store.delete(key);
      // A store that cannot keep it must fail the body, never end it early or mix.
      const result = await Promise.allSettled([buffer(body)]);
      expect(result[0]?.status === 'rejected' || result[0]?.value.equals(bytes)).toBe(true);
    });
  });
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
