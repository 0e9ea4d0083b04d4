import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '#src/domain/errors.ts';
import { createStorageService } from '#src/services/storage.service.ts';
import { folder, outcome, PLAIN, read, type StoreUnderTest } from './support.ts';

/** Copies, storage classes and declared capabilities. */
export function copyingAndClasses(under: () => StoreUnderTest): void {
  describe('copying', () => {
    test('bytes, type and metadata are copied; the source stays; the copy is independent', async () => {
      const { store } = under();
      const at = folder();
      const bytes = randomBytes(300_000);
      const options = { contentType: 'image/webp', cacheControl: 'no-store', metadata: { name: 'Größe' } };
      await store.put(at('from'), bytes, options);
      const copied = await store.copy(at('from'), at('to/there'));
      expect(copied).toMatchObject({ key: at('to/there'), bytes: bytes.length });
      await store.put(at('from'), Buffer.from('changed'), PLAIN);
      await store.delete(at('from'));
      expect((await read(store, at('to/there'))).equals(bytes)).toBe(true);
      expect(await store.head(at('to/there'))).toMatchObject(options);
    });

    test('a copy may have a caching of its own; the rest is the source’s', async () => {
      const { store } = under();
      const at = folder();
      const options = { contentType: 'image/webp', metadata: { name: 'Größe' } };
      await store.put(at('from'), Buffer.from('bytes'), { ...options, cacheControl: 'private, no-store' });
      await store.copy(at('from'), at('to'), { cacheControl: 'public, max-age=60' });
      expect(await store.head(at('to'))).toMatchObject({ ...options, cacheControl: 'public, max-age=60' });
      expect((await read(store, at('to'))).toString()).toBe('bytes');
      expect(await store.head(at('from'))).toMatchObject({ cacheControl: 'private, no-store' });
    });

    test('a copy of another content than was meant is refused and writes nothing', async () => {
      const { store } = under();
      const at = folder();
      const meant = await store.put(at('from'), Buffer.from('meant'), PLAIN);
      await store.copy(at('from'), at('first'), { ifMatch: meant.etag });
      await store.put(at('from'), Buffer.from('other'), PLAIN);
      expect(await outcome(store.copy(at('from'), at('second'), { ifMatch: meant.etag }))).toBe(
        'VERSION_CONFLICT',
      );
      expect((await read(store, at('first'))).toString()).toBe('meant');
      expect(await outcome(store.head(at('second')))).toBe('NOT_FOUND');
    });

    test('a copy replaces what was there', async () => {
      const { store } = under();
      const at = folder();
      await store.put(at('from'), Buffer.from('new'), PLAIN);
      await store.put(at('to'), Buffer.from('old and longer'), PLAIN);
      await store.copy(at('from'), at('to'));
      expect((await read(store, at('to'))).toString()).toBe('new');
    });
  });

  describe('storage classes', () => {
    test('an archived object is described but not read until it is restored', async ({ skip }) => {
      const { store } = under();
      if (!store.capabilities.supportsArchive || store.restore === undefined)
        return skip('supportsArchive is false');
      const at = folder();
      for (const storageClass of ['GLACIER', 'DEEP_ARCHIVE'] as const) {
        const key = at(storageClass);
        await store.put(key, Buffer.from('cold'), { ...PLAIN, storageClass });
        expect((await store.head(key)).storageClass).toBe(storageClass);
        expect(await outcome(store.get(key))).toBe('OBJECT_ARCHIVED');
        expect(await outcome(store.copy(key, at('copy')))).toBe('OBJECT_ARCHIVED');
        expect(await store.archiveStatus?.(key)).toBe('archived');
        await store.restore(key, 1);
        expect(['restoring', 'restored']).toContain(await store.archiveStatus?.(key));
        await expect.poll(async () => store.archiveStatus?.(key), { timeout: 15_000 }).toBe('restored');
        expect((await read(store, key)).toString()).toBe('cold');
        expect((await store.head(key)).storageClass).toBe(storageClass);
      }
    });

    test('a copy onto itself changes the class and nothing else', async ({ skip }) => {
      const { store } = under();
      if (!store.capabilities.supportsStorageClasses) skip('supportsStorageClasses is false');
      const key = folder()('aging');
      const before = await store.put(key, randomBytes(100_000), {
        contentType: 'image/jpeg',
        metadata: { a: 'b' },
      });
      const after = await store.copy(key, key, { storageClass: 'GLACIER' });
      expect(after).toMatchObject({ bytes: before.bytes, etag: before.etag, storageClass: 'GLACIER' });
      expect(await store.head(key)).toMatchObject({
        contentType: 'image/jpeg',
        metadata: { a: 'b' },
        storageClass: 'GLACIER',
      });
    });

    test('the warm classes are read at once', async ({ skip }) => {
      const { store } = under();
      if (!store.capabilities.supportsStorageClasses) skip('supportsStorageClasses is false');
      const at = folder();
      for (const storageClass of ['STANDARD_IA', 'GLACIER_IR'] as const) {
        await store.put(at(storageClass), Buffer.from('warm'), { ...PLAIN, storageClass });
        expect((await read(store, at(storageClass))).toString()).toBe('warm');
        expect((await store.archiveStatus?.(at(storageClass))) ?? 'none').toBe('none');
      }
    });

    test('what is missing or not archived is not restored', async ({ skip }) => {
      const { store } = under();
      if (!store.capabilities.supportsArchive || store.restore === undefined)
        return skip('supportsArchive is false');
      const at = folder();
      await store.put(at('warm'), Buffer.from('warm'), PLAIN);
      expect(await outcome(store.restore(at('warm'), 1))).toBe('CONFLICT');
      expect(await outcome(store.restore(at('missing'), 1))).toBe('NOT_FOUND');
      expect(await outcome(Promise.resolve(store.archiveStatus?.(at('missing'))))).toBe('NOT_FOUND');
    });
  });

  describe('capabilities', () => {
    test('a function is there exactly when its capability is declared', () => {
      const { store } = under();
      const { supportsArchive, supportsTags, supportsPresignedGet, supportsPresignedPost } =
        store.capabilities;
      expect(store.restore !== undefined).toBe(supportsArchive);
      expect(store.archiveStatus !== undefined).toBe(supportsArchive);
      expect(store.getTags !== undefined).toBe(supportsTags);
      expect(store.setTags !== undefined).toBe(supportsTags);
      expect(store.previous !== undefined).toBe(store.capabilities.supportsPrevious);
      expect(store.signGetUrl !== undefined).toBe(supportsPresignedGet);
      expect(store.signPostForm !== undefined).toBe(supportsPresignedPost);
    });

    test('what is not declared is UNSUPPORTED', async () => {
      const { store } = under();
      const { supportsArchive, supportsTags, supportsPresignedGet, supportsPresignedPost } =
        store.capabilities;
      const service = createStorageService({ store });
      const code = (supported: boolean): ErrorCode | null => (supported ? null : 'UNSUPPORTED');
      const form = { contentType: 'image/jpeg', maxBytes: 10, expiresInSeconds: 60 };
      expect(await outcome(service.getSignedUrl('contract/a', 60))).toBe(code(supportsPresignedGet));
      expect(await outcome(service.getUploadForm('contract/a', form))).toBe(code(supportsPresignedPost));
      expect(await outcome(service.restoreFile('contract/missing', 1))).toBe(
        supportsArchive ? 'NOT_FOUND' : 'UNSUPPORTED',
      );
      expect(await outcome(service.fileTags('contract/missing'))).toBe(
        supportsTags ? 'NOT_FOUND' : 'UNSUPPORTED',
      );
    });

    test('it answers a ping', async () => {
      const { store } = under();
      await expect(store.ping()).resolves.toBeUndefined();
    });
  });
}
