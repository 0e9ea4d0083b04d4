import { describe, expect, test } from 'vitest';
import { folder, keys, outcome, PLAIN, read, type StoreUnderTest } from './support.ts';

/** What is hidden is found by nobody who reads, and destroyed only where the store keeps nothing. */
export function hiding(under: () => StoreUnderTest): void {
  describe('hiding', () => {
    test('a hidden object is neither read nor listed, and hiding it again is a success', async () => {
      const { store } = under();
      const at = folder();
      await store.put(at('hidden'), Buffer.from('hidden'), PLAIN);
      await store.put(at('hidden-too'), Buffer.from('another'), PLAIN);
      await store.hide(at('hidden'));
      await store.hide(at('hidden'));
      await store.hide(at('never/was'));
      expect(await outcome(store.head(at('hidden')))).toBe('NOT_FOUND');
      expect(await outcome(store.get(at('hidden')))).toBe('NOT_FOUND');
      expect(await keys(store, at('hidden'))).toEqual([at('hidden-too')]);
    });

    test('another object may take the key of a hidden one, and is deleted with it', async () => {
      const { store } = under();
      const key = folder()('again');
      await store.put(key, Buffer.from('hidden'), PLAIN);
      await store.hide(key);
      await store.put(key, Buffer.from('again'), PLAIN);
      expect((await read(store, key)).toString()).toBe('again');
      await store.delete(key);
      expect(await outcome(store.head(key))).toBe('NOT_FOUND');
    });

    test('a reader that has opened a hidden object keeps it', async () => {
      const { store } = under();
      const key = folder()('open');
      await store.put(key, Buffer.alloc(100_000, 1), PLAIN);
      const { body } = await store.get(key);
      await store.hide(key);
      let bytes = 0;
      for await (const chunk of body) bytes += chunk instanceof Uint8Array ? chunk.length : 0;
      expect(bytes).toBe(100_000);
    });
  });
}
