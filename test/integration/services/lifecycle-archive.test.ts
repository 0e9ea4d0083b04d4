import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLifecycleService } from '#src/services/lifecycle.service.ts';
import { markUsageIngested, noteViews } from '#src/db/views.ts';
import { fileId, itemId } from '#src/domain/ids.ts';
import { expectNoOrphans, startApp, type TestApp } from '#test/support/app.ts';
import { ADMIN, ageListing, daysAgo, knowViews, listingWithPhotos } from '#test/support/ageing.ts';
import { archiveState, originalOf, wakeListings } from './archive-harness.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await knowViews(app);
}, 60_000);
beforeEach(() => wakeListings(app));
afterAll(() => app.close());

describe('originals of listings that nobody touched or looked at for twelve months', () => {
  test('are archived, while their renditions stay as they are', async () => {
    const { item, photos, seller } = await listingWithPhotos(app, 2);
    await ageListing(app, item, 366);
    const { rules, refused } = await app.lifecycle.archiveOldFiles();
    expect(refused).toEqual([]);
    expect(rules['item-originals-archive']).toMatchObject({ seen: 2, done: 2, left: {} });
    expect(rules['item-originals-archive']?.savedUsd).toBeGreaterThan(0);

    for (const id of photos) {
      const { key, storageClass } = await originalOf(app, id);
      expect(storageClass).toBe('GLACIER');
      expect((await app.storage.fileInfo(key)).storageClass).toBe('GLACIER');
      await expect(app.storage.downloadFile(key)).rejects.toMatchObject({ code: 'OBJECT_ARCHIVED' });
      const photo = await app.files.getPhoto(null, fileId(id));
      expect(photo).toMatchObject({ archive: 'archived', state: 'ready' });
      expect(Object.keys(photo.variants)).toEqual(['large', 'medium', 'thumbnail']);
      expect(photo.width).toBeGreaterThan(0);
      await expect(
        app.files.getPhotoUrl(seller, fileId(id), { variant: 'original', format: null, expiresIn: 60 }),
      ).rejects.toMatchObject({ code: 'OBJECT_ARCHIVED' });
      const large = await app.files.getPhotoUrl(seller, fileId(id), {
        variant: 'large',
        format: 'jpeg',
        expiresIn: 60,
      });
      expect(large.url).toContain('/items/large/');
    }
    expect((await app.files.getItemPhotos(null, item)).photos).toHaveLength(2);
    const again = await app.lifecycle.archiveOldFiles();
    expect(again.rules['item-originals-archive']).toMatchObject({ seen: 0, done: 0 });
    await expectNoOrphans(app);
  });

  test('stay when the listing changed, a photo of it was looked at, or views are not known for so long', async () => {
    const [changed, viewed, young] = await Promise.all(
      [1, 2, 1].map((count) => listingWithPhotos(app, count)),
    );
    for (const { item } of [changed, viewed, young].filter((each) => each !== undefined))
      await ageListing(app, item, 400);
    await app.items.updateItem(changed?.seller ?? ADMIN, changed?.item ?? itemId('none'), {
      title: 'Still here',
    });
    // The second photo was looked at: the listing is active.
    await noteViews(app.db, [{ fileId: viewed?.photos[1] ?? '', at: daysAgo(364) }]);
    await ageListing(app, young?.item ?? itemId('none'), 300);
    const { rules } = await app.lifecycle.archiveOldFiles();
    expect(rules['item-originals-archive']).toMatchObject({ seen: 0, done: 0 });

    await ageListing(app, young?.item ?? itemId('none'), 400);
    await knowViews(app, 200);
    const early = await app.lifecycle.archiveOldFiles();
    expect(early.rules['item-originals-archive']).toMatchObject({
      done: 0,
      left: { 'changed meanwhile': 1 },
    });
    await knowViews(app);
    const due = await app.lifecycle.archiveOldFiles();
    expect(due.rules['item-originals-archive']).toMatchObject({ done: 1 });
  });

  test('a dry run says what it would do and what that saves, and does nothing', async () => {
    const { item, photos } = await listingWithPhotos(app);
    await ageListing(app, item, 400);
    const actions: unknown[] = [];
    const { rules } = await app.lifecycle.archiveOldFiles({
      dryRun: true,
      checkpoint: async (_cursor, _progress, planned) => void actions.push(...planned),
    });
    expect(rules['item-originals-archive']).toMatchObject({ done: 1 });
    const { key, storageClass } = await originalOf(app, photos[0] ?? '');
    expect(actions).toMatchObject([
      { action: 'archive', subject: key, details: { from: 'STANDARD', to: 'GLACIER', fileId: photos[0] } },
    ]);
    expect(storageClass).toBe('STANDARD');
    expect((await app.storage.fileInfo(key)).storageClass).toBe('STANDARD');
    expect(await archiveState(app, photos[0] ?? '')).toBe('none');
  });

  test('small ones stay, since moving them would not pay', async () => {
    const { item, photos } = await listingWithPhotos(app);
    await ageListing(app, item, 400);
    const { key } = await originalOf(app, photos[0] ?? '');
    await app.db.updateTable('objects').set({ bytes: 60_000 }).where('key', '=', key).execute();
    const { rules } = await app.lifecycle.archiveOldFiles();
    expect(rules['item-originals-archive']).toMatchObject({
      done: 0,
      left: { 'moving it would not pay': 1 },
    });
  });

  test('behind a CDN that writes logs nothing is archived until they are read, and the result says why', async () => {
    const { item } = await listingWithPhotos(app);
    await ageListing(app, item, 400);
    const behind = createLifecycleService({
      ...app.jobs,
      viewsComeFrom: 'logs',
      capabilities: app.store.capabilities,
      sweepIncomplete: (ms) => app.store.sweepIncomplete(ms),
    });
    const refused = await behind.archiveOldFiles({ dryRun: true });
    const rules = ['item-originals-archive'];
    expect(refused.refused).toMatchObject([{ code: 'USAGE_NOT_CURRENT' }]);
    expect(refused.refused[0]?.rules).toEqual(expect.arrayContaining(rules));
    expect(refused.rules['item-originals-archive']).toMatchObject({ seen: 0 });
    await markUsageIngested(app.db, daysAgo(3));
    expect((await behind.archiveOldFiles()).refused).toMatchObject([{ code: 'USAGE_NOT_CURRENT' }]);
    await markUsageIngested(app.db, daysAgo(1));
    const current = await behind.archiveOldFiles();
    expect(current.refused).toEqual([]);
    expect(current.rules['item-originals-archive']).toMatchObject({ done: 1 });
  });
});

describe('a store that cannot do all of it', () => {
  const on = (capabilities: { supportsStorageClasses: boolean; supportsArchive: boolean }) =>
    createLifecycleService({
      ...app.jobs,
      capabilities,
      viewsComeFrom: 'logs',
      sweepIncomplete: async () => 0,
    });

  test('is given nothing that it could not give back, and the result says so', async () => {
    const { item, photos } = await listingWithPhotos(app);
    await ageListing(app, item, 400);
    const { rules, refused } = await on({ supportsStorageClasses: true, supportsArchive: false }).carryOut();
    expect(refused).toMatchObject([{ rules: ['item-originals-archive', 'documents'], code: 'UNSUPPORTED' }]);
    expect(rules['item-originals-archive']).toMatchObject({ seen: 0, done: 0 });
    expect(await archiveState(app, photos[0] ?? '')).toBe('none');
  });

  test('names each rule once, with the first reason', async () => {
    await app.db.deleteFrom('lifecycle_marks').where('name', '=', 'usage_ingested_until').execute();
    const all = ['item-originals-archive', 'profile-photos', 'documents'];
    const { refused } = await on({ supportsStorageClasses: false, supportsArchive: false }).carryOut();
    expect(refused).toMatchObject([{ rules: all, code: 'UNSUPPORTED' }]);
    const { refused: unseen } = await on({ supportsStorageClasses: true, supportsArchive: false }).carryOut();
    expect(unseen).toMatchObject([
      { rules: ['item-originals-archive', 'documents'], code: 'UNSUPPORTED' },
      { rules: ['profile-photos'], code: 'USAGE_NOT_CURRENT' },
    ]);
  });
});
