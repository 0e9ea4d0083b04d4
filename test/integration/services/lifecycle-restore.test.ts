import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { advanceRestores } from '#src/jobs/restore-photos.ts';
import { setArchive } from '#src/db/lifecycle.ts';
import { fileId, userId } from '#src/domain/ids.ts';
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
import { ADMIN, ageFile, daysAgo, knowViews, listingWithPhotos } from '#test/support/ageing.ts';
import { archivedListing, archiveState, originalOf, wakeListings } from './archive-harness.ts';
import { pdfWith, stream } from '#test/support/pdf.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await knowViews(app);
}, 60_000);
beforeEach(() => wakeListings(app));
afterAll(() => app.close());

describe('what is archived', () => {
  test('comes back when its listing is offered again', async () => {
    const { seller, item, photos } = await archivedListing(app, 2);
    await app.items.updateItem(seller, item, { status: 'sold' });
    for (const id of photos) expect(await archiveState(app, id)).toBe('archived');
    await app.items.updateItem(seller, item, { status: 'active' });
    await untilDelivered(app);
    for (const id of photos) {
      expect(await archiveState(app, id)).toBe('none');
      const { key, storageClass } = await originalOf(app, id);
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
    const first = await archivedListing(app, 1);
    await app.files.uploadItemPhoto(first.seller, first.item, await distinctPhoto(), { waitMs: 20_000 });
    await untilDelivered(app);
    expect(await archiveState(app, first.photos[0] ?? '')).toBe('none');
    const second = await archivedListing(app, 2);
    await app.files.reorderPhotos(second.seller, second.item, second.photos.toReversed().map(fileId), null);
    await untilDelivered(app);
    expect(await archiveState(app, second.photos[0] ?? '')).toBe('none');
  });

  test('comes back when its owner or staff ask, not when a stranger does, and stays for a month at least', async () => {
    const { seller, item, photos } = await archivedListing(app);
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
    const { item, photos } = await archivedListing(app);
    const id = photos[0] ?? '';
    const { key } = await originalOf(app, id);
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
    expect(await archiveState(app, id)).toBe('none');
    expect((await app.storage.fileInfo(key)).storageClass).toBe('STANDARD');
    await app.items.deleteItem(ADMIN, item);
  });

  test('can be deleted, and taken down, appealed and approved with its 1200 px rendition', async () => {
    const gone = await archivedListing(app);
    await app.items.deleteItem(gone.seller, gone.item);
    await untilState(app, gone.photos[0] ?? '', 'deleted');

    const { seller, photos } = await archivedListing(app);
    const id = fileId(photos[0] ?? '');
    const before = await originalOf(app, id);
    const down = await app.review.decide(MODERATOR, id, { decision: 'takedown', reason: 'Not allowed here' });
    expect(down).toMatchObject({ state: 'taken_down', archive: 'none', width: 1200 });
    await untilDelivered(app);
    await expect(app.storage.fileInfo(before.key)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await app.files.appeal(seller, id, 'It is allowed');
    await app.review.decide(MODERATOR, id, { decision: 'approve', reason: 'It is' });
    await untilState(app, id, 'ready');
    const after = await originalOf(app, id);
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
        body: Readable.from([pdfWith([stream('', Buffer.alloc(400_000))])]),
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
