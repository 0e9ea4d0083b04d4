import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { type FileId, fileId } from '#src/domain/ids.ts';
import {
  expectDense,
  expectNoOrphans,
  distinctPhoto,
  MODERATOR,
  newItem,
  newSeller,
  OTHER_SELLER,
  SELLER,
  SERVICE,
  startApp,
  storedKeys,
  type TestApp,
  untilState,
} from '#test/support/app.ts';
import { codeOf } from './code-of.ts';
import { profilePhotos } from './galleries-profile.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ env: { PHOTOS_PER_ITEM: '8', UNFINISHED_UPLOADS_PER_OWNER: '10' } });
});
afterAll(() => app.close());

const ASYNC = { waitMs: 0 };
const WAIT = { waitMs: 15_000 };

/** A reservation: takes a place without any work. */
async function reserved(item: Awaited<ReturnType<typeof newItem>>, who = SELLER): Promise<FileId> {
  const { id } = await app.files.reserveUpload(who, {
    kind: 'item_photo',
    itemId: item,
    filename: 'x.jpg',
    type: 'image/jpeg',
    bytes: 10,
  });
  return id;
}

describe('order', () => {
  test('is the order of arrival, then the one that was written', async () => {
    const who = newSeller();
    const item = await newItem(app, who);
    const ids = [await reserved(item, who), await reserved(item, who), await reserved(item, who)];
    const before = await app.files.getItemPhotos(who, item);
    expect(before.photos.map((photo) => photo.id)).toEqual(ids);
    const turned = ids.toReversed();
    const after = await app.files.reorderPhotos(who, item, turned, before.version);
    expect(after.photos.map((photo) => [photo.id, photo.position])).toEqual(
      turned.map((id, index) => [id, index]),
    );
    expect(after.version).toBeGreaterThan(before.version);
  });

  test('refuses an old version, and an order that leaves out, repeats or invents a photo', async () => {
    const who = newSeller();
    const item = await newItem(app, who);
    const ids = [await reserved(item, who), await reserved(item, who)];
    const [first = fileId(''), second = fileId('')] = ids;
    const { version } = await app.files.getItemPhotos(who, item);
    const strange = await reserved(await newItem(app, who), who);
    for (const order of [[first], [first, first], [first, second, strange], [first, strange], []])
      await expect(app.files.reorderPhotos(who, item, order, version)).rejects.toMatchObject({
        code: 'INVALID_REQUEST',
      });
    await app.files.reorderPhotos(who, item, [second, first], version);
    await expect(app.files.reorderPhotos(who, item, ids, version)).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
    });
    for (const other of [OTHER_SELLER, MODERATOR])
      await expect(app.files.reorderPhotos(other, item, ids, null)).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
  });

  test('of two who reorder the same version at once, one wins', async () => {
    const who = newSeller();
    const item = await newItem(app, who);
    const ids = [await reserved(item, who), await reserved(item, who), await reserved(item, who)];
    const { version } = await app.files.getItemPhotos(who, item);
    const results = await Promise.allSettled(
      [ids, ids.toReversed()].map((order) => app.files.reorderPhotos(who, item, order, version)),
    );
    expect(results.map((result) => result.status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  test('stays dense and loses no photo while uploads, deletes and reorders race', async () => {
    const who = newSeller();
    const item = await newItem(app, who);
    const kept = new Set<FileId>([await reserved(item, who), await reserved(item, who)]);
    const actions = Array.from({ length: 24 }, (_, index) => async () => {
      if (index % 3 === 0) {
        const id = await reserved(item, who);
        if (index % 2 === 0) await app.files.deletePhoto(who, id);
        else kept.add(id);
      } else {
        const { photos } = await app.files.getItemPhotos(who, item);
        const order = photos.map((photo) => fileId(photo.id));
        await app.files.reorderPhotos(who, item, index % 3 === 1 ? order.toReversed() : order, null);
      }
    });
    const results = await Promise.allSettled(actions.map((act) => act()));
    const unforeseen = results.flatMap((result) =>
      result.status === 'rejected' && !['INVALID_REQUEST', 'QUOTA_EXCEEDED'].includes(codeOf(result.reason))
        ? [result.reason]
        : [],
    );
    expect(unforeseen).toEqual([]);
    await expectDense(app, item);
    const { photos } = await app.files.getItemPhotos(who, item);
    expect(new Set(photos.map((photo) => photo.id))).toEqual(kept);
  });
});

describe('quotas', () => {
  test('a listing takes its number of photos and no more, whoever is first', async () => {
    const who = newSeller();
    const item = await newItem(app, who);
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => reserved(item, who)));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(8);
    await expectDense(app, item);
    const { photos } = await app.files.getItemPhotos(who, item);
    await app.files.deletePhoto(who, fileId(photos[3]?.id ?? ''));
    await reserved(item, who);
    await expectDense(app, item);
  });

  test('an owner has so many uploads on their way and no more, also over many listings at once', async () => {
    const who = newSeller();
    const items = await Promise.all(Array.from({ length: 14 }, () => newItem(app, who)));
    const results = await Promise.allSettled(items.map((item) => reserved(item, who)));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(10);
    const refused = results.flatMap((result) =>
      result.status === 'rejected' ? [codeOf(result.reason)] : [],
    );
    expect(refused).toEqual(['QUOTA_EXCEEDED', 'QUOTA_EXCEEDED', 'QUOTA_EXCEEDED', 'QUOTA_EXCEEDED']);
  });

  test('announced bytes count before they arrive', async () => {
    const who = newSeller();
    const item = await newItem(app, who);
    await app.db
      .updateTable('files')
      .set({ claimed_bytes: 5 * 1024 ** 3 - 5 })
      .where('id', '=', await reserved(item, who))
      .execute();
    await expect(reserved(item, who)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
  });
});

describe('a gallery', () => {
  test('shows strangers what is public, and its owner and staff every state', async () => {
    const item = await newItem(app);
    const { photo } = await app.files.uploadItemPhoto(SELLER, item, await distinctPhoto(), WAIT);
    await reserved(item);
    for (const who of [null, OTHER_SELLER]) {
      const { photos } = await app.files.getItemPhotos(who, item);
      expect(photos.map(({ id, sha256 }) => [id, sha256])).toEqual([[photo.id, null]]);
    }
    for (const who of [SELLER, MODERATOR, SERVICE])
      expect((await app.files.getItemPhotos(who, item)).photos).toHaveLength(2);
  });

  test('deleted as a whole leaves nothing, and takes no more photos once its listing is gone', async () => {
    const item = await newItem(app);
    const uploaded = await Promise.all(
      [await distinctPhoto(), await distinctPhoto()].map((file) =>
        app.files.uploadItemPhoto(SELLER, item, file, WAIT),
      ),
    );
    await expect(app.files.deleteItemPhotos(OTHER_SELLER, item)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await app.files.deleteItemPhotos(SELLER, item)).toBe(2);
    for (const { photo } of uploaded) await untilState(app, photo.id, 'deleted');
    await expectNoOrphans(app);
    expect((await storedKeys(app)).filter((key) => key.includes(item))).toEqual([]);
    expect((await app.files.getItemPhotos(SELLER, item)).photos).toEqual([]);

    await app.items.deleteItem(SELLER, item);
    await expect(app.files.getItemPhotos(SELLER, item)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(reserved(item)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(app.items.deleteItem(SELLER, item)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a photo deleted at any stage of its way does not come back', async () => {
    const item = await newItem(app);
    const stages = ['inspect', 'scan', 'decode', 'moderate', 'publish', 'derive', 'verify', 'finish'];
    for (const wanted of stages) {
      const file = await distinctPhoto();
      const deletions: Promise<void>[] = [];
      const deleteAtStage = async (id: FileId) => {
        const shown = await findFile(app.db, id);
        if (shown?.stage === wanted && deletions.length === 0)
          deletions.push(app.files.deletePhoto(SELLER, id));
      };
      const stop = app.events.subscribe({ itemId: item }, (change) => {
        if (change !== null) void deleteAtStage(fileId(change.fileId));
      });
      const { photo } = await app.files.uploadItemPhoto(SELLER, item, file, ASYNC);
      // A stage may pass unseen: then the photo is deleted once it is ready.
      const row = await untilState(app, photo.id, 'ready', 'deleted');
      stop();
      await Promise.allSettled(deletions);
      if (row.state === 'ready') await app.files.deletePhoto(SELLER, fileId(photo.id)).catch(() => undefined);
      await untilState(app, photo.id, 'deleted');
      expect((await storedKeys(app)).filter((key) => key.includes(photo.id))).toEqual([]);
      await expect(app.files.getPhoto(SELLER, fileId(photo.id))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    await expectNoOrphans(app);
    await expectDense(app, item);
  });
});

describe('one photo', () => {
  test('is described by its owner, within bounds and in storable text', async () => {
    const id = await reserved(await newItem(app));
    expect((await app.files.setAlt(SELLER, id, '  Käfer 🐞 ')).alt).toBe('Käfer 🐞');
    expect((await app.files.setAlt(SELLER, id, 'x'.repeat(1000))).alt).toHaveLength(1000);
    expect((await app.files.setAlt(SELLER, id, ' ')).alt).toBeNull();
    await expect(app.files.setAlt(SELLER, id, 'nul \0 byte')).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
    await expect(app.files.setAlt(MODERATOR, id, 'mine')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(app.files.setAlt(OTHER_SELLER, id, 'mine')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('has an address that ends, for a rendition that exists', async () => {
    const { photo } = await app.files.uploadItemPhoto(
      SELLER,
      await newItem(app),
      await distinctPhoto(),
      WAIT,
    );
    await untilState(app, photo.id, 'ready');
    const ask = (variant: 'large' | 'original', format: 'webp' | 'png' | null, expiresIn: number) =>
      app.files.getPhotoUrl(OTHER_SELLER, fileId(photo.id), { variant, format, expiresIn });
    const { url, expiresAt } = await ask('large', 'webp', 60);
    expect(url).toContain(`/items/large/`);
    expect(Math.abs(Date.parse(expiresAt) - Date.now() - 60_000)).toBeLessThan(5_000);
    await expect(ask('large', 'png', 60)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(ask('original', null, 10 ** 8)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });
});

profilePhotos(() => app);
