import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import type { ObjectKey } from '#src/domain/keys.ts';
import type { GetOptions, ObjectStore } from '#src/ports/object-store.ts';
import { closed, folder, outcome, PLAIN, type StoreUnderTest } from './support.ts';

const MIB = 1024 ** 2;
/** Sent in several parts by a store that sends parts, and read in several ranges by one that reads ranges. */
const LARGE = 41 * MIB + 7;
const LIMIT_MS = 60_000;

/** What holds for a photo holds for what does not fit into one request. */
export function largeObjects(under: () => StoreUnderTest): void {
  describe('large objects', () => {
    test(
      'come back as they went in, whole and in ranges, their length announced or not',
      async () => {
        const { store } = under();
        const at = folder();
        for (const name of ['announced', 'unannounced']) {
          const { body, hash } = generated(LARGE);
          const options = { contentType: 'video/mp4', metadata: { name: 'Größe' } };
          const put = await store.put(at(name), body, {
            ...options,
            ...(name === 'announced' && { contentLength: LARGE }),
          });
          expect(put.bytes).toBe(LARGE);
          expect(await store.head(at(name))).toMatchObject({ ...options, bytes: LARGE, etag: put.etag });
          expect(await hashOf(store, at(name))).toBe(hash());
        }
        for (const [start, end] of [
          [0, LARGE - 1],
          [1, LARGE - 2],
          [8 * MIB - 1, 8 * MIB],
          [5, 40 * MIB],
          [LARGE - 1, LARGE - 1],
        ] as const) {
          const { hash, body } = generated(LARGE, { start, end });
          body.resume();
          await closed(body);
          expect(await hashOf(store, at('announced'), { range: { start, end } })).toBe(hash());
        }
      },
      LIMIT_MS,
    );

    test(
      'a source that breaks after several parts leaves what was there, and nothing unfinished',
      async () => {
        const { store } = under();
        const key = folder()('broken');
        const { etag } = await store.put(key, Buffer.from('old'), PLAIN);
        const { body } = generated(LARGE, { breakAt: 30 * MIB });
        await expect(store.put(key, body, PLAIN)).rejects.toThrow('the source broke');
        expect((await store.head(key)).etag).toBe(etag);
        expect(await store.sweepIncomplete(0)).toBe(0);
      },
      LIMIT_MS,
    );

    test(
      'an aborted put leaves what was there, nothing unfinished, and lets its source go',
      async () => {
        const { store } = under();
        const key = folder()('aborted');
        const controller = new AbortController();
        const { body } = generated(LARGE, { onBytes: (sent) => sent > 30 * MIB && controller.abort() });
        expect(await outcome(store.put(key, body, { ...PLAIN, signal: controller.signal }))).toBe('ABORTED');
        await closed(body);
        expect(await outcome(store.head(key))).toBe('NOT_FOUND');
        expect(await store.sweepIncomplete(0)).toBe(0);
      },
      LIMIT_MS,
    );

    test(
      'a length other than the announced one leaves nothing',
      async () => {
        const { store } = under();
        const key = folder()('short');
        const { body } = generated(LARGE);
        expect(await outcome(store.put(key, body, { ...PLAIN, contentLength: LARGE + 1 }))).toBe(
          'UPLOAD_MISMATCH',
        );
        expect(await outcome(store.head(key))).toBe('NOT_FOUND');
        expect(await store.sweepIncomplete(0)).toBe(0);
      },
      LIMIT_MS,
    );

    test(
      'of four creates at once one wins',
      async ({ skip }) => {
        const { store } = under();
        if (!store.capabilities.supportsConditionalCreate) skip('supportsConditionalCreate is false');
        const key = folder()('race');
        const writers = Array.from({ length: 4 }, () => generated(17 * MIB));
        const results = await Promise.all(
          writers.map(({ body }) => outcome(store.put(key, body, { ...PLAIN, ifNoneMatch: true }))),
        );
        expect(results.filter((code) => code === null)).toHaveLength(1);
        expect(results.filter((code) => code === 'ALREADY_EXISTS')).toHaveLength(3);
        expect(await store.sweepIncomplete(0)).toBe(0);
      },
      LIMIT_MS,
    );

    test(
      'a create of what is there is refused before much is sent',
      async ({ skip }) => {
        const { store } = under();
        if (!store.capabilities.supportsConditionalCreate) skip('supportsConditionalCreate is false');
        const key = folder()('kept');
        const { etag } = await store.put(key, Buffer.from('old'), PLAIN);
        let read = 0;
        const { body } = generated(LARGE, { onBytes: (bytes) => (read = bytes) });
        expect(await outcome(store.put(key, body, { ...PLAIN, ifNoneMatch: true }))).toBe('ALREADY_EXISTS');
        expect(read).toBeLessThan(20 * MIB);
        expect((await store.head(key)).etag).toBe(etag);
        await closed(body);
      },
      LIMIT_MS,
    );

    test(
      'a read that is pinned, or dropped in the middle, stays with its object',
      async () => {
        const { store } = under();
        const key = folder()('replaced');
        await store.put(key, generated(LARGE).body, PLAIN);
        const { body, info } = await store.get(key);
        const changed = store.put(key, Buffer.from('new'), PLAIN);
        // A store that cannot keep it must fail the body, never mix or end early.
        const [read] = await Promise.allSettled([hashOfBody(body), changed]);
        const { hash, body: same } = generated(LARGE);
        same.resume();
        await closed(same);
        expect(read.status === 'rejected' || read.value === hash()).toBe(true);
        expect(info.bytes).toBe(LARGE);
        const dropped = await store.get(key);
        await closed(dropped.body.destroy());
      },
      LIMIT_MS,
    );
  });
}

/** The same bytes for the same length, of which a part can be taken; never all of them in memory. */
function generated(
  length: number,
  how: {
    start?: number;
    end?: number;
    breakAt?: number;
    onBytes?: (bytes: number) => unknown;
  } = {},
): { body: Readable; hash: () => string } {
  const { start = 0, end = length - 1, breakAt, onBytes } = how;
  const hash = createHash('sha256');
  function* bytes(): Generator<Buffer> {
    for (let at = start; at <= end; ) {
      if (breakAt !== undefined && at >= breakAt) throw new Error('the source broke');
      const until = Math.min(end + 1, at + PATTERN.length - (at % PATTERN.length));
      const chunk = Buffer.from(PATTERN.subarray(at % PATTERN.length, (at % PATTERN.length) + until - at));
      // Every block is another, so that parts in the wrong order are seen.
      if (until % PATTERN.length === 0) chunk.writeUInt8((until / PATTERN.length) & 255, chunk.length - 1);
      hash.update(chunk);
      at = until;
      yield chunk;
      onBytes?.(at - start);
    }
  }
  return { body: Readable.from(bytes(), { objectMode: false }), hash: () => hash.copy().digest('hex') };
}

const PATTERN = Buffer.from(Uint32Array.from({ length: 16_384 }, (_, index) => index * 2_654_435_761).buffer);

async function hashOf(store: ObjectStore, key: ObjectKey, options?: GetOptions): Promise<string> {
  const { body } = await store.get(key, options);
  return hashOfBody(body);
}

async function hashOfBody(body: Readable): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(body, hash);
  return hash.digest('hex');
}
