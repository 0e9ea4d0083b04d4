import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { setArchive } from '#src/db/lifecycle.ts';
import { findFile } from '#src/db/files.ts';
import { standingOf } from '#src/db/objects.ts';
import { noteViews } from '#src/db/views.ts';
import { fileId, itemId } from '#src/domain/ids.ts';
import { type ObjectKey, objectKey } from '#src/domain/keys.ts';
import { advanceRestore } from '#src/services/lifecycle/restore.ts';
import { createLifecycleService } from '#src/services/lifecycle.service.ts';
import { createStorageService } from '#src/services/storage.service.ts';
import { startApp, type TestApp } from '#test/support/app.ts';
import { ADMIN, ageListing, knowViews, listingWithPhotos } from '#test/support/ageing.ts';
import { faultyStore, slowDown } from '#test/support/faulty-store.ts';
import { archiveState, originalOf, wakeListings } from './archive-harness.ts';
import { openReplica } from './scrub-harness.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await knowViews(app);
}, 60_000);
beforeEach(() => wakeListings(app));
afterAll(() => app.close());

describe('late and racing work', () => {
  /** The lifecycle, with something that happens after its first page was read and before it does anything. */
  const interrupted = (meanwhile: () => Promise<unknown>) => {
    let isRead = false;
    const db = app.db.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        if (!isRead) {
          isRead = true;
          await meanwhile();
        }
        return result;
      },
    });
    return createLifecycleService({
      ...app.jobs,
      db,
      viewsComeFrom: 'edge',
      capabilities: app.store.capabilities,
      sweepIncomplete: async () => 0,
    });
  };

  test.each([
    ['a view', (id: string) => noteViews(app.db, [{ fileId: id, at: new Date() }])],
    ['a legal hold', (id: string) => app.lifecycle.setHold(ADMIN, fileId(id), 'case 12')],
    ['a delete', (id: string) => app.files.deletePhoto(ADMIN, fileId(id))],
    [
      'a change of the listing',
      async (id: string) => {
        const file = await findFile(app.db, id);
        return app.items.updateItem(ADMIN, itemId(file?.item_id ?? ''), { title: 'Again' });
      },
    ],
  ])('%s after the page was read keeps the original where it is', async (_what, meanwhile) => {
    const { item, photos } = await listingWithPhotos(app);
    await ageListing(app, item, 400);
    const { key } = await originalOf(app, photos[0] ?? '');
    const lifecycle = interrupted(() => meanwhile(photos[0] ?? ''));
    const { rules } = await lifecycle.archiveOldFiles();
    expect(rules['item-originals-archive']).toMatchObject({ done: 0, left: { 'changed meanwhile': 1 } });
    expect(await archiveState(app, photos[0] ?? '')).toBe('none');
    const row = await app.db
      .selectFrom('objects')
      .select('storage_class')
      .where('key', '=', key)
      .executeTakeFirst();
    expect(row?.storage_class ?? 'STANDARD').toBe('STANDARD');
  });

  test('one that died between the copy and its commit is finished by the next, without a second copy', async () => {
    const { item, photos } = await listingWithPhotos(app);
    await ageListing(app, item, 400);
    const { key } = await originalOf(app, photos[0] ?? '');
    const moved = await app.storage.copyFile(key, key, { storageClass: 'GLACIER' });
    const { rules } = await app.lifecycle.archiveOldFiles();
    expect(rules['item-originals-archive']).toMatchObject({ done: 1 });
    expect((await app.storage.fileInfo(key)).modifiedAt).toEqual(moved.modifiedAt);
    expect(await originalOf(app, photos[0] ?? '')).toMatchObject({ storageClass: 'GLACIER' });
  });

  test('an object that is gone is left and counted, and the others are archived', async () => {
    const { item, photos } = await listingWithPhotos(app, 2);
    await ageListing(app, item, 400);
    const { key } = await originalOf(app, photos[0] ?? '');
    await app.storage.deleteFile(key);
    const { rules } = await app.lifecycle.archiveOldFiles();
    expect(rules['item-originals-archive']).toMatchObject({ done: 1, left: { 'object missing': 1 } });
    await app.files.deleteItemPhotos(ADMIN, item);
  });

  test('two at once archive each original once', async () => {
    const { item } = await listingWithPhotos(app, 4);
    await ageListing(app, item, 400);
    const results = await Promise.all([app.lifecycle.archiveOldFiles(), app.lifecycle.archiveOldFiles()]);
    const done = results.map(({ rules }) => rules['item-originals-archive']?.done ?? 0);
    expect(done.reduce((a, b) => a + b, 0)).toBe(4);
  });
});

describe('the class of an object is that of the primary', () => {
  /** A replica with a copy of that object, and a storage service over both whose primary can fail. */
  async function withReplica(key: ObjectKey) {
    const replica = await openReplica();
    const { info, body } = await app.storage.downloadFile(key);
    await replica.store.put(key, await buffer(body), { contentType: info.contentType });
    const primary = faultyStore(app.store);
    const storage = createStorageService({
      store: primary,
      replica: { store: replica.store, standingOf: (asked) => standingOf(app.db, asked) },
      retry: { attempts: 1, baseMs: 1, capMs: 1 },
    });
    return { replica, primary, storage };
  }

  test('when it is archived: a copy that is archived already says nothing', async () => {
    const { item, photos } = await listingWithPhotos(app);
    await ageListing(app, item, 400);
    const [id = ''] = photos;
    const key = objectKey((await originalOf(app, id)).key);
    const { replica, primary, storage } = await withReplica(key);
    await replica.store.copy(key, key, { storageClass: 'GLACIER' });
    const lifecycle = createLifecycleService({
      ...app.jobs,
      storage,
      capabilities: app.store.capabilities,
      viewsComeFrom: 'edge',
      sweepIncomplete: async () => 0,
    });
    primary.plan('head', slowDown);
    await expect(lifecycle.archiveOldFiles()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(await originalOf(app, id)).toMatchObject({ storageClass: 'STANDARD' });
    await lifecycle.archiveOldFiles();
    expect((await app.store.head(key)).storageClass).toBe('GLACIER');
    await replica.close();
  });

  test('when it is brought back: a copy that was never archived says nothing', async () => {
    const { item, photos } = await listingWithPhotos(app);
    const [id = ''] = photos;
    const key = objectKey((await originalOf(app, id)).key);
    const { replica, primary, storage } = await withReplica(key);
    await ageListing(app, item, 400);
    await app.lifecycle.archiveOldFiles();
    await setArchive(app.db, id, 'archived', 'restoring');
    const deps = { db: app.db, storage };
    primary.plan('head', slowDown);
    await expect(advanceRestore(deps, id)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(await archiveState(app, id)).toBe('restoring');
    expect(await advanceRestore(deps, id)).toBe('over');
    expect((await app.store.head(key)).storageClass).toBe('STANDARD');
    await replica.close();
  });
});
