import { describe, expect, test } from 'vitest';
import { folder, keys, PLAIN, type StoreUnderTest } from './support.ts';

const HOUR_MS = 3_600_000;

/** What writers that died have left is removed, and nothing else. */
export function sweeping(under: () => StoreUnderTest): void {
  describe('sweeping', () => {
    test('what nobody has written to for long is removed, and counted, or counted only', async () => {
      const { store, leaveUnfinished } = under();
      const at = folder();
      await store.put(at('whole'), Buffer.from('x'), PLAIN);
      for (const name of ['one', 'two', 'two']) await leaveUnfinished(at(name));
      expect(await store.sweepIncomplete(HOUR_MS)).toBe(0);
      for (const _ of ['and', 'again']) expect(await store.sweepIncomplete(0, { dryRun: true })).toBe(3);
      expect(await store.sweepIncomplete(0)).toBe(3);
      expect(await store.sweepIncomplete(0)).toBe(0);
      expect(await keys(store, at('x').slice(0, -1))).toEqual([at('whole')]);
    });
  });
}
