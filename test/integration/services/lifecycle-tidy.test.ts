import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { announceObjects, settleObjects } from '#src/db/objects.ts';
import { noteViews } from '#src/db/views.ts';
import { fileId, userId } from '#src/domain/ids.ts';
import type { RunAction } from '#src/domain/runs.ts';
import { createLifecycleService, type LifecycleService } from '#src/services/lifecycle.service.ts';
import { StorageError } from '#src/domain/errors.ts';
import { ADMIN, ageFile, daysAgo, knowViews, listingWithPhotos } from '#test/support/ageing.ts';
import {
  distinctPhoto,
  expectNoOrphans,
  MODERATOR,
  newSeller,
  startApp,
  storedKeys,
  type TestApp,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await knowViews(app);
}, 60_000);
afterAll(() => app.close());

/** The lifecycle, so many days later. */
function after(
  days: number,
  change: Partial<Parameters<typeof createLifecycleService>[0]> = {},
): LifecycleService {
  return createLifecycleService({
    ...app.jobs,
    clock: { now: () => new Date(Date.now() + days * 86_400_000) },
    viewsComeFrom: 'edge',
    capabilities: app.store.capabilities,
    sweepIncomplete: (ms) => app.store.sweepIncomplete(ms),
    ...change,
  });
}

const put = (key: string, body = 'bytes') =>
  app.storage.uploadFile(Buffer.from(body), { key, contentType: 'application/octet-stream' });
const isThere = async (key: string) => (await storedKeys(app)).includes(key);

describe('temporary bytes', () => {
  test('that nobody names go after a day, not before, and a dry run only says so', async () => {
    const key = 'temp/uploads/019a8c6e-6c1e-7b57-9d0c-00000000beef';
    await put(key);
    expect((await after(0.9).deleteExpiredFiles()).rules['temporary-objects']?.done).toBe(0);
    expect((await after(1.1).deleteExpiredFiles({ dryRun: true })).rules['temporary-objects']).toMatchObject({
      done: 1,
      bytes: 5,
    });
    expect(await isThere(key)).toBe(true);
    expect((await after(1.1).deleteExpiredFiles()).rules['temporary-objects']?.done).toBe(1);
    expect(await isThere(key)).toBe(false);
  });

  test('of a file that is over go too, those of one at work stay', async () => {
    const { photos } = await listingWithPhotos(app);
    const [id = ''] = photos;
    const left = `temp/uploads/${id}`;
    await announceObjects(app.db, id, [left]);
    await put(left);
    await settleObjects(app.db, [left]);
    const seller = newSeller();
    const waits = await app.files.reserveUpload(seller, {
      kind: 'profile_photo',
      filename: 'a.jpg',
      bytes: 5,
      type: 'image/jpeg',
    });
    await put(`temp/uploads/${waits.id}`);

    await after(1.1).deleteExpiredFiles();
    await untilDelivered(app);
    expect(await isThere(left)).toBe(false);
    expect(await isThere(`temp/uploads/${waits.id}`)).toBe(true);
    expect((await findFile(app.db, id))?.state).toBe('ready');
    await app.storage.deleteFile(`temp/uploads/${waits.id}`);
  });

  test('beside an upload that is on its way, parts of it, stay until it is given up', async () => {
    const seller = newSeller();
    const waits = await app.files.reserveUpload(seller, {
      kind: 'profile_photo',
      filename: 'a.jpg',
      bytes: 5,
      type: 'image/jpeg',
    });
    const part = `temp/uploads/${waits.id}/000000000000`;
    await put(part);
    await after(1.1).deleteExpiredFiles();
    expect(await isThere(part)).toBe(true);
    await app.files.deletePhoto(seller, waits.id);
    await put(part);
    await after(1.1).deleteExpiredFiles();
    expect(await isThere(part)).toBe(false);
  });

  test('and unfinished uploads are swept by the store, recorded, and only counted by a dry run', async () => {
    const asked: unknown[] = [];
    const actions: RunAction[] = [];
    const lifecycle = after(0, {
      sweepIncomplete: async (...args) => {
        asked.push(args);
        return 3;
      },
    });
    const checkpoint = async (_at: unknown, _progress: unknown, planned: readonly RunAction[]) =>
      void actions.push(...planned);
    for (const dryRun of [true, false]) {
      const { rules } = await lifecycle.deleteExpiredFiles({ dryRun, checkpoint });
      expect(rules['abandoned-uploads']).toMatchObject({ done: 1 });
    }
    const day = 86_400_000;
    expect(asked).toEqual([
      [day, { dryRun: true }],
      [day, { dryRun: false }],
    ]);
    expect(actions).toMatchObject([{ action: 'abort', details: { rule: 'abandoned-uploads', count: 3 } }]);
  });
});

describe('refused photos', () => {
  test('go when appeals are over, six months after the decision, and leave their tombstone', async () => {
    const { photos } = await listingWithPhotos(app);
    const id = fileId(photos[0] ?? '');
    await app.review.decide(MODERATOR, id, { decision: 'takedown', reason: 'Not allowed' });
    await untilDelivered(app);
    expect((await after(183).deleteExpiredFiles()).rules['refused-photos']?.done).toBe(0);
    expect((await after(185).deleteExpiredFiles()).rules['refused-photos']?.done).toBe(1);
    expect(await untilState(app, id, 'deleted')).toMatchObject({ reason_message: 'Not allowed' });
    expect((await after(185).deleteExpiredFiles()).rules['refused-photos']?.seen).toBe(0);
    await expectNoOrphans(app);
  });
});

describe('unused objects', () => {
  test('that no row names are found in every prefix of ours, and removed after a day of grace', async () => {
    const ours = [
      'items/large/lost/019a8c6e-6c1e-7b57-9d0c-00000000dead-0123456789ab.jpg',
      'profiles/thumbnail/lost/019a8c6e-6c1e-7b57-9d0c-00000000dead-0123456789ab.webp',
      'quarantine/raw/019a8c6e-6c1e-7b57-9d0c-00000000dead',
      'verification/documents/lost/019a8c6e-6c1e-7b57-9d0c-00000000dead.enc',
    ];
    const theirs = 'audit/anchors/2026-06';
    for (const key of [...ours, theirs]) await put(key);
    const { photos } = await listingWithPhotos(app);
    const before = (await storedKeys(app)).filter((key) => key.includes(photos[0] ?? ''));

    await after(0.5).optimizeStorage();
    for (const key of ours) expect(await isThere(key)).toBe(true);
    await after(2).optimizeStorage({ dryRun: true });
    for (const key of ours) expect(await isThere(key)).toBe(true);
    const { rules } = await after(2).optimizeStorage();
    for (const key of ours) expect(await isThere(key)).toBe(false);
    expect(rules['reconcile items/']).toMatchObject({ done: 1, bytes: 5 });
    expect(await isThere(theirs)).toBe(true);
    expect((await storedKeys(app)).filter((key) => key.includes(photos[0] ?? ''))).toEqual(before);
    await app.storage.deleteFile(theirs);
  });

  test('more than a page of them, between objects that rows name', async () => {
    const { item } = await listingWithPhotos(app, 2);
    const strays = Array.from({ length: 1_100 }, (_, index) => `items/large/${item}/stray-${index}.jpg`);
    for (const key of strays) await put(key);
    const { rules } = await after(2).optimizeStorage();
    expect(rules['reconcile items/']?.done).toBe(1_100);
    expect((await storedKeys(app)).filter((key) => key.includes('stray'))).toEqual([]);
    await expectNoOrphans(app);
  }, 60_000);

  test('that are most of what there is stay when nobody asked, and go when somebody does', async () => {
    const strays = Array.from({ length: 12 }, (_, index) => `quarantine/view/stray-${index}.jpg`);
    for (const key of strays) await put(key);
    const left = (await after(2).optimizeStorage({ unattended: true })).rules['reconcile quarantine/'];
    expect(left).toMatchObject({ done: 0, left: { 'too many at once': 12 } });
    for (const key of strays.slice(2)) await app.storage.deleteFile(key);
    const few = (await after(2).optimizeStorage({ unattended: true })).rules['reconcile quarantine/'];
    expect(few).toMatchObject({ done: 2, left: {} });
    for (const key of strays) await put(key);
    const all = (await after(2).optimizeStorage()).rules['reconcile quarantine/'];
    expect(all?.done).toBe(12);
  });

  test('a row whose object is gone is reported, and nothing is done about it', async () => {
    const { photos, item } = await listingWithPhotos(app);
    const [key = ''] = (await storedKeys(app)).filter(
      (each) => each.includes(photos[0] ?? '') && each.includes('medium'),
    );
    await app.storage.deleteFile(key);
    const actions: RunAction[] = [];
    await after(2).optimizeStorage({
      dryRun: true,
      checkpoint: async (_at, _progress, planned) => void actions.push(...planned),
    });
    expect(actions).toEqual([
      { action: 'miss', subject: key, details: { rule: 'reconcile', fileId: photos[0] } },
    ]);
    expect((await findFile(app.db, photos[0] ?? ''))?.state).toBe('ready');
    await app.items.deleteItem(ADMIN, item);
  });

  test('a store that does not answer ends it to be tried again; one object that cannot be removed does not', async () => {
    for (const n of [1, 2, 3]) await put(`items/large/broken/${n}.jpg`);
    const broken = (code: 'STORAGE_UNAVAILABLE' | 'FORBIDDEN') =>
      after(2, {
        storage: {
          ...app.storage,
          async deleteFile(key, signal) {
            if (key.endsWith('2.jpg')) throw new StorageError(code);
            await app.storage.deleteFile(key, signal);
          },
        },
      });
    await expect(broken('STORAGE_UNAVAILABLE').optimizeStorage()).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
    const { rules } = await broken('FORBIDDEN').optimizeStorage();
    expect(rules['reconcile items/']?.left).toEqual({ failed: 1 });
    expect((await storedKeys(app)).filter((key) => key.includes('broken'))).toEqual([
      'items/large/broken/2.jpg',
    ]);
    await app.storage.deleteFile('items/large/broken/2.jpg');
  });
});

describe('a page that fails', () => {
  test('ends when nothing of it is at work any more, and begins nothing new', async () => {
    for (const n of [1, 2, 3, 4, 5, 6]) await put(`items/large/late/${n}.jpg`);
    const begun: string[] = [];
    const ended: string[] = [];
    const slow = after(2, {
      storage: {
        ...app.storage,
        async deleteFile(key) {
          if (key.endsWith('1.jpg')) throw new StorageError('STORAGE_UNAVAILABLE');
          begun.push(key);
          await pause(50);
          ended.push(key);
        },
      },
    });
    await expect(slow.optimizeStorage()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(ended).toEqual(begun);
    expect(begun.length).toBeLessThanOrEqual(2);
    for (const n of [1, 2, 3, 4, 5, 6]) await app.storage.deleteFile(`items/large/late/${n}.jpg`);
  });
});

describe('profile photos', () => {
  test('go to infrequent access twelve months after their last use, where that pays, and stay readable', async () => {
    const [used, unused] = [newSeller(), newSeller()];
    const ids: string[] = [];
    for (const who of [used, unused]) {
      const { photo } = await app.files.uploadProfilePhoto(who, userId(who.userId), await distinctPhoto(), {
        waitMs: 20_000,
      });
      ids.push((await untilState(app, photo.id, 'ready')).id);
      await ageFile(app, photo.id, 400);
    }
    await untilDelivered(app);
    const [usedId = '', unusedId = ''] = ids;
    await noteViews(app.db, [{ fileId: usedId, at: daysAgo(100) }]);
    const { rules } = await after(0).optimizeStorage();
    expect(rules['profile-photos']).toMatchObject({ done: 1, left: { 'moving it would not pay': 2 } });
    const classes = async (id: string) =>
      (
        await app.db
          .selectFrom('objects')
          .select(['key', 'storage_class as in'])
          .where('file_id', '=', id)
          .execute()
      )
        .filter((row) => row.key.startsWith('profiles/'))
        .map((row) => `${row.key.split('/')[1]} ${row.in}`)
        .toSorted();
    expect(await classes(unusedId)).toEqual([
      'original STANDARD_IA',
      'thumbnail STANDARD',
      'thumbnail STANDARD',
    ]);
    expect(await classes(usedId)).toEqual(['original STANDARD', 'thumbnail STANDARD', 'thumbnail STANDARD']);
    expect(await app.files.getProfilePhoto(null, userId(unused.userId))).toMatchObject({ archive: 'none' });
    const original = (await storedKeys(app)).find(
      (key) => key.includes(unusedId) && key.includes('original'),
    );
    (await app.storage.downloadFile(original ?? '')).body.destroy();
    expect((await after(0).optimizeStorage()).rules['profile-photos']?.done).toBe(0);
    await expectNoOrphans(app);
  });
});
