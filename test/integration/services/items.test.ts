import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { itemId, userId } from '#src/domain/ids.ts';
import {
  distinctPhoto,
  MODERATOR,
  newItem,
  newSeller,
  OTHER_SELLER,
  SERVICE,
  startApp,
  type TestApp,
} from '#test/support/app.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

describe('a listing', () => {
  test('is created once for an id and its seller, and is nobody else’s', async () => {
    const who = newSeller();
    const id = itemId(`item-${who.userId.slice(-8)}`);
    expect(await app.items.createItem(who, { id, title: 'Lamp' })).toMatchObject({
      created: true,
      item: { id, title: 'Lamp', sellerId: who.userId, status: 'active', photoCount: 0, cover: null },
    });
    expect((await app.items.createItem(who, { id, title: 'Other' })).item.title).toBe('Lamp');
    await expect(app.items.createItem(OTHER_SELLER, { id, title: 'Mine' })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    const seller = userId(who.userId);
    await expect(app.items.createItem(OTHER_SELLER, { title: 'x', sellerId: seller })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    await expect(app.items.createItem(MODERATOR, { title: 'x' })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    const { item } = await app.items.createItem(SERVICE, { title: 'x', sellerId: seller, category: 'lamps' });
    expect(item).toMatchObject({ sellerId: who.userId, category: 'lamps' });
  });

  test('shows the first public photo as its cover, and how many there are', async () => {
    const who = newSeller();
    const item = await newItem(app, who);
    const { photo } = await app.files.uploadItemPhoto(who, item, await distinctPhoto(), { waitMs: 15_000 });
    await app.files.reserveUpload(who, {
      kind: 'item_photo',
      itemId: item,
      filename: 'x.jpg',
      type: 'image/jpeg',
      bytes: 10,
    });
    expect(await app.items.getItem(null, item)).toMatchObject({
      photoCount: 1,
      cover: { id: photo.id, sha256: null },
    });
  });

  test.each(['draft', 'withdrawn'] as const)(
    'that is %s is seen by its seller and staff only',
    async (status) => {
      const who = newSeller();
      const item = await newItem(app, who);
      await app.items.updateItem(who, item, { status });
      for (const reader of [null, OTHER_SELLER]) {
        await expect(app.items.getItem(reader, item)).rejects.toMatchObject({ code: 'NOT_FOUND' });
        await expect(app.files.getItemPhotos(reader, item)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      }
      for (const reader of [who, MODERATOR, SERVICE]) {
        expect((await app.items.getItem(reader, item)).status).toBe(status);
        expect((await app.files.getItemPhotos(reader, item)).photos).toEqual([]);
      }
      await app.items.updateItem(who, item, { status: 'active' });
      expect((await app.items.getItem(null, item)).status).toBe('active');
    },
  );

  test('is changed by its seller and by nobody else, in storable text', async () => {
    const who = newSeller();
    const item = await newItem(app, who);
    const changed = await app.items.updateItem(who, item, {
      title: 'Better',
      status: 'sold',
      category: null,
    });
    expect(changed).toMatchObject({ title: 'Better', status: 'sold' });
    await expect(app.items.updateItem(OTHER_SELLER, item, { title: 'x' })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    await expect(app.items.updateItem(who, item, { title: 'a\0b' })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
    await app.items.deleteItem(who, item);
    await expect(app.items.getItem(who, item)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(app.items.updateItem(who, item, { title: 'x' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('the list of a seller', () => {
  test('shows buyers what is active, the seller everything, newest first and page by page', async () => {
    const who = newSeller();
    const sellerId = userId(who.userId);
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) ids.unshift(await newItem(app, who));
    await app.items.updateItem(who, itemId(ids[1] ?? ''), { status: 'draft' });
    const pages = async (reader: typeof who | null) => {
      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = await app.items.listItems(reader, {
          sellerId,
          limit: 2,
          ...(after !== undefined && { after }),
        });
        seen.push(...page.items.map((item) => item.id));
        after = page.next ?? undefined;
      } while (after !== undefined);
      return seen;
    };
    expect(new Set(await pages(who))).toEqual(new Set(ids));
    expect(new Set(await pages(null))).toEqual(new Set(ids.filter((id) => id !== ids[1])));
    expect(await pages(OTHER_SELLER)).toHaveLength(4);
    await expect(app.items.listItems(null, { limit: 2, after: 'nonsense' })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
    expect((await app.items.listItems(null, { limit: 1 })).items).toHaveLength(1);
  });
});
