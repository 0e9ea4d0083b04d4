import { setTimeout as pause } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Cache, CacheKind } from '#src/ports/cache.ts';
import { until } from '#test/support/app.ts';

export interface CacheServer {
  /** A cache as another process would have it, on the same server where there is one. */
  open(maxBytes: number): Promise<Cache>;
  stop(): Promise<void>;
}

const Value = z.object({ text: z.string() });
export type Value = z.output<typeof Value>;

export const kindOf = (name: string, ttlSeconds = 60): CacheKind<Value> => ({
  name,
  ttlSeconds,
  parse: (value) => Value.parse(value),
});

const MAX_BYTES = 100_000;

/** What every cache does. */
export function describeCache(product: {
  readonly name: string;
  readonly start: () => Promise<CacheServer>;
  /** Whether processes share what is kept. */
  readonly isShared: boolean;
  readonly missing?: string | undefined;
}): void {
  const { name, missing, isShared } = product;
  describe.skipIf(missing !== undefined)(`a cache in ${name}${missing ? ` (${missing})` : ''}`, () => {
    let server: CacheServer;
    let cache: Cache;
    let other: Cache;
    beforeAll(async () => {
      server = await product.start();
      cache = await server.open(MAX_BYTES);
      other = await server.open(MAX_BYTES);
    });
    afterAll(async () => {
      await cache?.close();
      await other?.close();
      await server?.stop();
    });
    const entry = (version = '1', key: string = randomUUID()) => ({ kind: kindOf('test'), key, version });

    test('gives what was kept, to the version that it was made of and to no other', async () => {
      const first = entry();
      expect(await cache.get(first)).toBeUndefined();
      await cache.set(first, { text: 'one' });
      expect(await cache.get(first)).toEqual({ text: 'one' });
      const second = { ...first, version: '2' };
      expect(await cache.get(second)).toBeUndefined();
      await cache.set(second, { text: 'two' });
      expect(await cache.get(second)).toEqual({ text: 'two' });
      expect(await cache.get(first)).toBeUndefined();
      expect(await cache.get({ ...second, version: '' })).toBeUndefined();
    });

    test(`gives other processes ${isShared ? 'the same' : 'nothing'}`, async () => {
      const shared = entry();
      await cache.set(shared, { text: 'one' });
      expect(await other.get(shared)).toEqual(isShared ? { text: 'one' } : undefined);
    });

    test('takes what is no such value for none', async () => {
      const wrong = entry();
      const kind: CacheKind<unknown> = { ...wrong.kind, parse: (value) => value };
      await cache.set({ ...wrong, kind }, { text: 7 });
      expect(await cache.get({ ...wrong, kind })).toEqual({ text: 7 });
      expect(await cache.get(wrong)).toBeUndefined();
      expect(await other.get(wrong)).toBeUndefined();
    });

    test('makes what is missing once for all who ask at one time, and again after a failure', async () => {
      const wanted = entry();
      let made = 0;
      const make = async () => {
        made += 1;
        await pause(1);
        return { text: `made ${made}` };
      };
      const answers = await Promise.all(Array.from({ length: 20 }, () => cache.through(wanted, make)));
      expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['made 1']));
      expect(await cache.through(wanted, make)).toEqual({ text: 'made 1' });
      const newer = { ...wanted, version: '2' };
      const failing = () => Promise.reject(new Error('no luck'));
      await expect(cache.through(newer, failing)).rejects.toThrow('no luck');
      expect(await cache.through(newer, make)).toEqual({ text: 'made 2' });
    });

    test('does not wait with a newer version for an older one that is being made', async () => {
      const older = entry();
      const { promise, resolve } = Promise.withResolvers<Value>();
      const waiting = cache.through(older, () => promise);
      expect(await cache.through({ ...older, version: '2' }, async () => ({ text: 'new' }))).toEqual({
        text: 'new',
      });
      resolve({ text: 'old' });
      expect(await waiting).toEqual({ text: 'old' });
    });

    test('forgets when the time of a kind is over', async () => {
      const short = { ...entry(), kind: kindOf('short', 1) };
      await cache.set(short, { text: 'one' });
      expect(await cache.get(short)).toEqual({ text: 'one' });
      await until(
        'it to be forgotten',
        async () => ((await cache.get(short)) === undefined ? true : null),
        3_000,
      );
      expect(await other.get(short)).toBeUndefined();
    });

    test('forgets keys, and all that begin so, in every process, and nothing else', async () => {
      const run = randomUUID();
      const keys = ['a*1', 'a*2', 'a-1', 'b*1', 'c*1'].map((key) => entry('1', `${run}${key}`));
      for (const each of keys) for (const one of [cache, other]) await one.set(each, { text: each.key });
      await cache.forgetPrefix('test', `${run}a*`);
      await cache.forget('test', [`${run}b*1`]);
      const left = async (one: Cache) => {
        const found = await Promise.all(keys.map((each) => one.get(each)));
        return found.flatMap((value) => (value === undefined ? [] : [value.text.slice(run.length)]));
      };
      expect(await left(cache)).toEqual(['a-1', 'c*1']);
      if (isShared)
        await until('the others to forget', async () => ((await left(other)).length === 2 ? true : null));
      expect(await left(other)).toEqual(isShared ? ['a-1', 'c*1'] : ['a*1', 'a*2', 'a-1', 'b*1', 'c*1']);
    });
  });
}
