import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { noteViews } from '#src/db/views.ts';
import { fileId, itemId } from '#src/domain/ids.ts';
import { createLifecycleService } from '#src/services/lifecycle.service.ts';
import { startApp, type TestApp } from '#test/support/app.ts';
import { ADMIN, ageListing, knowViews, listingWithPhotos } from '#test/support/ageing.ts';
import { archiveState, originalOf, wakeListings } from './archive-harness.ts';

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
    ['a view', (id: string) => noteViews(app.db, [id], new Date())],
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
