import { describe, expect, test } from 'vitest';
import { createStorageService } from '#src/services/storage.service.ts';
import { folder, outcome, PLAIN, type StoreUnderTest } from './support.ts';

const WHY = 'supportsTags is false';
const GIVEN = { state: 'in review', 'who:what/how': 'a+b=c @ d.e_f-g' };

/** Tags are changed without a change of the object. */
export function tags(under: () => StoreUnderTest): void {
  describe('tags', () => {
    test('are given with the object, and replaced as a whole', async ({ skip }) => {
      const { store } = under();
      if (store.getTags === undefined || store.setTags === undefined) return skip(WHY);
      const key = folder()('tagged');
      const { etag } = await store.put(key, Buffer.from('x'), { ...PLAIN, tags: GIVEN });
      expect(await store.getTags(key)).toEqual(GIVEN);
      await store.setTags(key, { other: '1' });
      expect(await store.getTags(key)).toEqual({ other: '1' });
      await store.setTags(key, {});
      expect(await store.getTags(key)).toEqual({});
      expect((await store.head(key)).etag).toBe(etag);
    });

    test('are given with a large object, too', async ({ skip }) => {
      const { store } = under();
      if (store.getTags === undefined) return skip(WHY);
      const key = folder()('large');
      await store.put(key, Buffer.alloc(17 * 1024 ** 2), { ...PLAIN, tags: GIVEN });
      expect(await store.getTags(key)).toEqual(GIVEN);
    });

    test('go along with a copy', async ({ skip }) => {
      const { store } = under();
      if (store.getTags === undefined) return skip(WHY);
      const at = folder();
      await store.put(at('from'), Buffer.from('x'), { ...PLAIN, tags: { kept: 'yes' } });
      await store.copy(at('from'), at('to'));
      expect(await store.getTags(at('to'))).toEqual({ kept: 'yes' });
    });

    test('belong to objects that are there, and have their limits', async ({ skip }) => {
      const { store } = under();
      if (store.getTags === undefined || store.setTags === undefined) return skip(WHY);
      const at = folder();
      expect(await outcome(store.getTags(at('missing')))).toBe('NOT_FOUND');
      expect(await outcome(store.setTags(at('missing'), { a: 'b' }))).toBe('NOT_FOUND');
      await store.put(at('there'), Buffer.from('x'), PLAIN);
      const service = createStorageService({ store });
      const many = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`tag${index}`, 'x']));
      for (const refused of [many, { ['n'.repeat(129)]: '' }, { n: 'v'.repeat(257) }, { '': 'empty' }])
        expect(await outcome(service.tagFile(at('there'), refused))).toBe('INVALID_REQUEST');
      expect(await store.getTags(at('there'))).toEqual({});
    });

    test('are refused by a store that has none, before anything is written', async ({ skip }) => {
      const { store } = under();
      if (store.capabilities.supportsTags) return skip('supportsTags is true');
      const key = folder()('untagged');
      const service = createStorageService({ store });
      const put = service.uploadFile(Buffer.from('x'), { key, contentType: 'a/b', tags: { a: 'b' } });
      expect(await outcome(put)).toBe('UNSUPPORTED');
      expect(await outcome(service.tagFile(key, { a: 'b' }))).toBe('UNSUPPORTED');
      expect(await outcome(store.head(key))).toBe('NOT_FOUND');
    });
  });
}
