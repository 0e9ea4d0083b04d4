import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLifecycleService } from '#src/services/lifecycle.service.ts';
import { advanceRestores } from '#src/jobs/restore-photos.ts';
import { setArchive } from '#src/db/lifecycle.ts';
import { findFile } from '#src/db/files.ts';
import { markUsageIngested, noteViews } from '#src/db/views.ts';
import { fileId, itemId, userId } from '#src/domain/ids.ts';
import {
  distinctPhoto,
  expectNoOrphans,
  MODERATOR,
  OTHER_SELLER,
  startApp,
  type TestApp,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';
import { ADMIN, ageFile, ageListing, daysAgo, knowViews, listingWithPhotos } from '#test/support/ageing.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await knowViews(app);
}, 60_000);
beforeEach(async () => {
  // What earlier tests left is not looked at again.
  await app.db.updateTable('items').set({ last_activity_at: new Date() }).execute();
});
afterAll(() => app.close());

const archiveState = async (id: string) => (await findFile(app.db, id))?.archive;
const originalOf = async (id: string) =>
  app.db
    .selectFrom('variants')
    .innerJoin('objects', 'objects.key', 'variants.key')
    .select(['variants.key as key', 'objects.storage_class as storageClass'])
    .where('variants.file_id', '=', id)
    .where('name', '=', 'original')
    .executeTakeFirstOrThrow();

async function archivedListing(count = 1) {
  const listing = await listingWithPhotos(app, count);
  await ageListing(app, listing.item, 400);
  await app.lifecycle.archiveOldFiles();
  for (const id of listing.photos) expect(await archiveState(id)).toBe('archived');
  return listing;
}

describe('originals of listings that nobody touched or looked at for twelve months', () => {
  test('are archived, while their renditions stay as they are', async () => {
    const { item, photos, seller } = await listingWithPhotos(app, 2);
    await ageListing(app, item, 366);
    const { rules, refused } = await app.lifecycle.archiveOldFiles();
    expect(refused).toEqual([]);
    expect(rules['item-originals-archive']).toMatchObject({ seen: 2, done: 2, left: {} });
    expect(rules['item-originals-archive']?.savedUsd).toBeGreaterThan(0);

    for (const id of photos) {
      const { key, storageClass } = await originalOf(id);
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
    await noteViews(app.db, [viewed?.photos[1] ?? ''], daysAgo(364));
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
    const { key, storageClass } = await originalOf(photos[0] ?? '');
    expect(actions).toMatchObject([
      { action: 'archive', subject: key, details: { from: 'STANDARD', to: 'GLACIER', fileId: photos[0] } },
    ]);
    expect(storageClass).toBe('STANDARD');
    expect((await app.storage.fileInfo(key)).storageClass).toBe('STANDARD');
    expect(await archiveState(photos[0] ?? '')).toBe('none');
  });

  test('small ones stay, since moving them would not pay', async () => {
    const { item, photos } = await listingWithPhotos(app);
    await ageListing(app, item, 400);
    const { key } = await originalOf(photos[0] ?? '');
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
    expect(await archiveState(photos[0] ?? '')).toBe('none');
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
    const { key } = await originalOf(photos[0] ?? '');
    const lifecycle = interrupted(() => meanwhile(photos[0] ?? ''));
    const { rules } = await lifecycle.archiveOldFiles();
    expect(rules['item-originals-archive']).toMatchObject({ done: 0, left: { 'changed meanwhile': 1 } });
    expect(await archiveState(photos[0] ?? '')).toBe('none');
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
    const { key } = await originalOf(photos[0] ?? '');
    const moved = await app.storage.copyFile(key, key, { storageClass: 'GLACIER' });
    const { rules } = await app.lifecycle.archiveOldFiles();
    expect(rules['item-originals-archive']).toMatchObject({ done: 1 });
    expect((await app.storage.fileInfo(key)).modifiedAt).toEqual(moved.modifiedAt);
    expect(await originalOf(photos[0] ?? '')).toMatchObject({ storageClass: 'GLACIER' });
  });

  test('an object that is gone is left and counted, and the others are archived', async () => {
    const { item, photos } = await listingWithPhotos(app, 2);
    await ageListing(app, item, 400);
    const { key } = await originalOf(photos[0] ?? '');
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

describe('what is archived', () => {
  test('comes back when its listing is offered again', async () => {
    const { seller, item, photos } = await archivedListing(2);
    await app.items.updateItem(seller, item, { status: 'sold' });
    for (const id of photos) expect(await archiveState(id)).toBe('archived');
    await app.items.updateItem(seller, item, { status: 'active' });
    await untilDelivered(app);
    for (const id of photos) {
      expect(await archiveState(id)).toBe('none');
      const { key, storageClass } = await originalOf(id);
      expect(storageClass).toBe('STANDARD');
      expect((await app.storage.fileInfo(key)).storageClass).toBe('STANDARD');
      const photo = await app.files.getPhoto(null, fileId(id));
      expect(photo.variants.original?.formats.jpeg?.url).toContain('/items/original/');
    }
    const { rules } = await app.lifecycle.archiveOldFiles();
    expect(rules['item-originals-archive']?.done).toBe(0);
    await expectNoOrphans(app);
  });

  test('comes back when a photo is added or the order changes', async () => {
    const first = await archivedListing(1);
    await app.files.uploadItemPhoto(first.seller, first.item, await distinctPhoto(), { waitMs: 20_000 });
    await untilDelivered(app);
    expect(await archiveState(first.photos[0] ?? '')).toBe('none');
    const second = await archivedListing(2);
    await app.files.reorderPhotos(second.seller, second.item, second.photos.toReversed().map(fileId), null);
    await untilDelivered(app);
    expect(await archiveState(second.photos[0] ?? '')).toBe('none');
  });

  test('comes back when its owner or staff ask, not when a stranger does, and stays for a month at least', async () => {
    const { seller, item, photos } = await archivedListing();
    const id = fileId(photos[0] ?? '');
    await expect(app.files.restorePhoto(OTHER_SELLER, id)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const asked = await app.files.restorePhoto(seller, id);
    expect(asked.archive).not.toBe('archived');
    await untilDelivered(app);
    expect(await app.files.restorePhoto(MODERATOR, id)).toMatchObject({ archive: 'none' });
    await app.db
      .updateTable('items')
      .set({ last_activity_at: daysAgo(400) })
      .where('id', '=', item)
      .execute();
    expect((await app.lifecycle.archiveOldFiles()).rules['item-originals-archive']).toMatchObject({
      done: 0,
      left: { 'changed meanwhile': 1 },
    });
  });

  test('is “restoring” until a slow store has it, and the schedule brings it home', async () => {
    const { item, photos } = await archivedListing();
    const id = photos[0] ?? '';
    const { key } = await originalOf(id);
    let status: 'archived' | 'restoring' | 'restored' = 'archived';
    let asked = 0;
    const slow = {
      ...app.jobs,
      storage: {
        ...app.storage,
        archiveStatus: async () => status,
        restoreFile: async (restored: string, days: number) => {
          asked += 1;
          status = 'restoring';
          await app.storage.restoreFile(restored, days);
        },
      },
    };
    await setArchive(app.db, id, 'archived', 'restoring');
    await advanceRestores(slow);
    await advanceRestores(slow);
    expect(asked).toBe(1);
    expect(await app.files.getPhoto(null, fileId(id))).toMatchObject({ archive: 'restoring' });
    status = 'restored';
    await advanceRestores(slow);
    expect(await archiveState(id)).toBe('none');
    expect((await app.storage.fileInfo(key)).storageClass).toBe('STANDARD');
    await app.items.deleteItem(ADMIN, item);
  });

  test('can be deleted, and taken down, appealed and approved with its 1200 px rendition', async () => {
    const gone = await archivedListing();
    await app.items.deleteItem(gone.seller, gone.item);
    await untilState(app, gone.photos[0] ?? '', 'deleted');

    const { seller, photos } = await archivedListing();
    const id = fileId(photos[0] ?? '');
    const before = await originalOf(id);
    const down = await app.review.decide(MODERATOR, id, { decision: 'takedown', reason: 'Not allowed here' });
    expect(down).toMatchObject({ state: 'taken_down', archive: 'none', width: 1200 });
    await untilDelivered(app);
    await expect(app.storage.fileInfo(before.key)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await app.files.appeal(seller, id, 'It is allowed');
    await app.review.decide(MODERATOR, id, { decision: 'approve', reason: 'It is' });
    await untilState(app, id, 'ready');
    const after = await originalOf(id);
    expect(after.key).not.toBe(before.key);
    expect((await app.files.getPhoto(null, id)).variants.original?.width).toBe(1200);
    await expectNoOrphans(app);
  });
});

describe('identity documents', () => {
  const owner = { userId: 'documented', roles: ['seller'] as const };

  test('are archived after seven years, say so when opened, and come back', async () => {
    const { photo } = await app.files.uploadVerificationDocument(
      owner,
      userId(owner.userId),
      {
        filename: 'passport.pdf',
        type: 'application/pdf',
        body: Readable.from([Buffer.alloc(400_000, '%PDF-1.7\n')]),
      },
      { waitMs: 20_000 },
    );
    const id = fileId((await untilState(app, photo.id, 'ready')).id);
    await ageFile(app, id, 2_550);
    expect((await app.lifecycle.archiveOldFiles()).rules['documents']).toMatchObject({ seen: 0 });
    await ageFile(app, id, 2_560);
    expect((await app.lifecycle.archiveOldFiles()).rules['documents']).toMatchObject({ done: 1 });
    await expect(app.files.openVerificationDocument(owner, id)).rejects.toMatchObject({
      code: 'OBJECT_ARCHIVED',
      message: expect.stringContaining('/v1/photos/{id}/restore'),
    });
    // Nothing of it was read, and the ledger does not say so.
    const reads = app.db.selectFrom('audit.entries').select('id').where('file_id', '=', id);
    expect(await reads.where('action', '=', 'document.read').execute()).toEqual([]);
    const [listed] = await app.files.listVerificationDocuments(owner, userId(owner.userId));
    expect(listed).toMatchObject({ archive: 'archived' });

    await app.files.restorePhoto(owner, id);
    await untilDelivered(app);
    const { body } = await app.files.openVerificationDocument(owner, id);
    expect(await text(body)).toContain('%PDF-1.7');
    expect((await app.lifecycle.archiveOldFiles()).rules['documents']).toMatchObject({ done: 0 });

    await ageFile(app, id, 2_560);
    await app.lifecycle.archiveOldFiles();
    await app.files.deleteVerificationDocument(owner, id);
    await untilState(app, id, 'deleted');
    expect(await app.db.selectFrom('document_keys').selectAll().where('file_id', '=', id).execute()).toEqual(
      [],
    );
    await expectNoOrphans(app);
  });
});

describe('the database itself', () => {
  test('refuses every other order of archiving', async () => {
    const { photos } = await listingWithPhotos(app);
    const id = photos[0] ?? '';
    await expect(setArchive(app.db, id, 'none', 'restoring')).rejects.toMatchObject({
      code: 'ILLEGAL_TRANSITION',
    });
    await setArchive(app.db, id, 'none', 'archived');
    await expect(setArchive(app.db, id, 'archived', 'none')).rejects.toMatchObject({
      code: 'ILLEGAL_TRANSITION',
    });
    await setArchive(app.db, id, 'archived', 'restoring');
    await expect(setArchive(app.db, id, 'restoring', 'archived')).rejects.toMatchObject({
      code: 'ILLEGAL_TRANSITION',
    });
    await setArchive(app.db, id, 'restoring', 'none');

    const profile = await app.files.uploadProfilePhoto(
      OTHER_SELLER,
      userId(OTHER_SELLER.userId),
      await distinctPhoto(),
      { waitMs: 20_000 },
    );
    await untilState(app, profile.photo.id, 'ready');
    await expect(setArchive(app.db, profile.photo.id, 'none', 'archived')).rejects.toMatchObject({
      code: 'ILLEGAL_TRANSITION',
    });
  });
});
