import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RateLimiter } from '#src/ports/rate-limiter.ts';

export interface LimiterStore {
  /** A limiter as another process would have it, on the same store where there is one. */
  open(): RateLimiter;
  stop(): Promise<void>;
}

/** What every rate limiter does. */
export function describeRateLimiter(product: {
  readonly name: string;
  readonly start: () => Promise<LimiterStore>;
  /** Whether several processes count together. */
  readonly isShared: boolean;
  readonly missing?: string | undefined;
}): void {
  const { name, missing } = product;
  describe.skipIf(missing !== undefined)(`a rate limiter on ${name}${missing ? ` (${missing})` : ''}`, () => {
    let store: LimiterStore;
    let limiter: RateLimiter;
    let other: RateLimiter;
    beforeAll(async () => {
      store = await product.start();
      limiter = store.open();
      other = store.open();
    });
    afterAll(async () => {
      await limiter?.close();
      await other?.close();
      await store?.stop();
    });
    const limitOf = (quota: number, windowSeconds = 60) => ({
      name: `limit-${randomUUID()}`,
      quota,
      windowSeconds,
    });

    test('allows the quota to each key and no more, however many ask at once', async () => {
      const limit = limitOf(20);
      const asked = await Promise.all(Array.from({ length: 50 }, () => limiter.take(limit, 'a')));
      expect(asked.filter(({ isAllowed }) => isAllowed)).toHaveLength(20);
      expect(Math.min(...asked.map(({ left }) => left))).toBe(0);
      for (const { resetSeconds } of asked) {
        expect(resetSeconds).toBeGreaterThan(55);
        expect(resetSeconds).toBeLessThanOrEqual(60);
      }
      expect(await limiter.take(limit, 'b')).toMatchObject({ isAllowed: true, left: 19 });
    });

    test('takes nothing when a cost is larger than what is left', async () => {
      const limit = limitOf(100_000_000_000);
      expect(await limiter.take(limit, 'a', 60_000_000_000)).toMatchObject({
        isAllowed: true,
        left: 40_000_000_000,
      });
      expect(await limiter.take(limit, 'a', 50_000_000_000)).toMatchObject({
        isAllowed: false,
        left: 40_000_000_000,
      });
      expect(await limiter.take(limit, 'a', 40_000_000_000)).toMatchObject({ isAllowed: true, left: 0 });
    });

    test('takes back what was not used', async () => {
      const limit = limitOf(10);
      await limiter.take(limit, 'a', 10);
      await limiter.giveBack(limit, 'a', 4);
      expect(await limiter.take(limit, 'a', 4)).toMatchObject({ isAllowed: true, left: 0 });
    });

    test('allows the whole quota again once the window has ended, not before', async () => {
      const limit = limitOf(1, 1);
      await limiter.take(limit, 'a');
      const { resetSeconds } = await limiter.take(limit, 'a');
      const asked = performance.now();
      await expect
        .poll(async () => (await limiter.take(limit, 'a')).isAllowed, { interval: 10, timeout: 3_000 })
        .toBe(true);
      expect((performance.now() - asked) / 1000).toBeGreaterThan(resetSeconds - 0.1);
      expect((performance.now() - asked) / 1000).toBeLessThan(resetSeconds + 0.5);
    });

    test(`counts ${product.isShared ? 'together with' : 'apart from'} other processes`, async () => {
      const limit = limitOf(2);
      await limiter.take(limit, 'a');
      await other.take(limit, 'a');
      expect((await limiter.take(limit, 'a')).isAllowed).toBe(!product.isShared);
    });
  });
}
