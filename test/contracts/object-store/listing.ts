import { describe, expect, test } from 'vitest';
import { folder, keys, outcome, PLAIN, type StoreUnderTest } from './support.ts';

/** What is there is listed, in order; what is deleted is not. */
export function listing(under: () => StoreUnderTest): void {
  describe('listing', () => {
    test('keys come in ascending byte order, page after page', async () => {
      const { store } = under();
      const at = folder();
      const names = [
        'b',
        'a',
        'a/z',
        'a/b/c',
        'a-1',
        'a.jpg',
        'a0',
        'A',
        'a!',
        'a/b',
        'a/b-2',
        'a|b',
        'Z/1',
        '_',
        `${'l'.repeat(220)}/1`,
        `${'l'.repeat(220)}-1`,
      ];
      for (const name of names) await store.put(at(name), Buffer.from(name), PLAIN);
      const expected = names.map(at).toSorted();
      const base = at('x').slice(0, -1);
      for (const limit of [1, 2, 3, 5, 16, 1000]) expect(await keys(store, base, limit)).toEqual(expected);
      for (const [index, after] of expected.entries()) {
        const page = await store.list(base, { after, limit: 1000 });
        expect(page.objects.map(({ key }) => key)).toEqual(expected.slice(index + 1));
      }
    });

    test('a prefix is the beginning of a key, wherever it ends', async () => {
      const { store } = under();
      const at = folder();
      for (const name of ['items/ab/1', 'items/abc/1', 'items/ab', 'items/b', 'item'])
        await store.put(at(name), Buffer.from('x'), PLAIN);
      expect(await keys(store, at('items/ab'))).toEqual(['items/ab', 'items/ab/1', 'items/abc/1'].map(at));
      expect(await keys(store, `${at('items/ab')}/`)).toEqual([at('items/ab/1')]);
      expect(await keys(store, at('items/ab/1'))).toEqual([at('items/ab/1')]);
      expect(await keys(store, at('nothing'))).toEqual([]);
      const after = await store.list(at('items/ab'), { after: at('item'), limit: 1 });
      expect(after.objects.map(({ key }) => key)).toEqual([at('items/ab')]);
    });

    test('the last page says so, also when it is full', async () => {
      const { store } = under();
      const at = folder();
      for (const name of ['1', '2', '3', '4']) await store.put(at(name), Buffer.from('x'), PLAIN);
      const base = at('x').slice(0, -1);
      const first = await store.list(base, { limit: 2 });
      expect(first.next).not.toBeNull();
      const second = await store.list(base, { limit: 2, after: first.next ?? '' });
      expect(second.objects.map(({ key }) => key)).toEqual([at('3'), at('4')]);
      expect(second.next).toBeNull();
    });

    test('a listing tells size, etag, class and age', async () => {
      const { store } = under();
      const at = folder();
      const { key, bytes, etag, storageClass } = await store.put(at('told'), Buffer.from('four'), PLAIN);
      const [told] = (await store.list(at('told'), { limit: 1 })).objects;
      expect(told).toMatchObject({ key, bytes, etag, storageClass });
      expect(told?.modifiedAt).toBeInstanceOf(Date);
    });
  });

  describe('deleting', () => {
    test('a deleted object is gone, and deleting it again is a success', async () => {
      const { store } = under();
      const at = folder();
      await store.put(at('a/b/c'), Buffer.from('x'), PLAIN);
      await store.delete(at('a/b/c'));
      await store.delete(at('a/b/c'));
      await store.delete(at('never/was'));
      expect(await outcome(store.head(at('a/b/c')))).toBe('NOT_FOUND');
      expect(await outcome(store.get(at('a/b/c')))).toBe('NOT_FOUND');
      expect(await outcome(store.copy(at('a/b/c'), at('d')))).toBe('NOT_FOUND');
    });

    test('writers and deleters in one folder do not disturb each other', async () => {
      const { store } = under();
      const at = folder();
      await Promise.all(
        Array.from({ length: 8 }, async (_, worker) => {
          for (let round = 0; round < 25; round += 1) {
            await store.put(at(`deep/folder/${worker}`), Buffer.from('x'), PLAIN);
            await store.delete(at(`deep/folder/${worker}`));
          }
        }),
      );
      expect(await keys(store, at('deep'))).toEqual([]);
    });
  });
}
