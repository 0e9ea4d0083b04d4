import sharp from 'sharp';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import { fileId, type ItemId } from '#src/domain/ids.ts';
import {
  MODERATOR,
  newItem,
  OTHER_SELLER,
  SELLER,
  startApp,
  type TestApp,
  untilState,
} from '#test/support/app.ts';
import { photoPath } from '#test/support/photos.ts';

let app: TestApp;
let item: ItemId;
let isCoachBroken = false;
let ids: string[];

beforeAll(async () => {
  app = await startApp({
    jobs: ({ images }) => ({
      images: {
        ...images,
        async open(bytes, options) {
          const image = await images.open(bytes, options);
          return {
            ...image,
            coach: (signal) =>
              isCoachBroken ? Promise.reject(new StorageError('IMAGE_PROCESS_FAILED')) : image.coach(signal),
          };
        },
      },
    }),
  });
  item = await newItem(app);
  const photo = sharp(await readFile(photoPath('mountains.jpg'))).autoOrient();
  const good = await photo.clone().resize(1600).jpeg().toBuffer();
  const blurred = await sharp(good).blur(6).jpeg().toBuffer();
  const dark = await sharp(good).linear(0.15, 0).jpeg().toBuffer();
  const small = await sharp(good).resize(420).jpeg().toBuffer();
  ids = [];
  for (const body of [blurred, dark, good, small]) ids.push(await upload(body));
});
afterAll(() => app.close());

async function upload(body: Buffer): Promise<string> {
  const file = { filename: 'a.jpg', type: 'image/jpeg', body };
  const { photo } = await app.files.uploadItemPhoto(SELLER, item, file, { waitMs: 0 });
  await untilState(app, photo.id, 'ready');
  return photo.id;
}

const warnings = async (...[who]: Parameters<TestApp['files']['getItemPhotos']>) =>
  (await app.files.getItemPhotos(who, item)).photos.slice(0, 4).map((photo) => photo.warnings);

describe('hints', () => {
  test('are read by the owner and by staff', async () => {
    const expected = [['BLURRY'], ['DARK'], [], ['TINY']];
    expect(await warnings(SELLER, item)).toEqual(expected);
    expect(await warnings(MODERATOR, item)).toEqual(expected);
    const [first] = ids;
    expect((await app.files.getPhoto(SELLER, fileId(first ?? ''))).warnings).toEqual(['BLURRY']);
  });

  test('are not shown to buyers, in the gallery, by itself or on the listing', async () => {
    expect(await warnings(null, item)).toEqual([[], [], [], []]);
    expect(await warnings(OTHER_SELLER, item)).toEqual([[], [], [], []]);
    expect((await app.files.getPhoto(null, fileId(ids[0] ?? ''))).warnings).toEqual([]);
    expect((await app.items.getItem(null, item)).cover?.warnings).toEqual([]);
  });

  test('kept among the warnings of a photo are the owner’s alone as well', async () => {
    const [first = ''] = ids;
    const noted = (codes: readonly string[]) =>
      app.db
        .updateTable('files')
        .set({ warnings: JSON.stringify(codes) })
        .where('id', '=', first)
        .execute();
    await noted(['SCALED_DOWN', 'DUPLICATE_IN_LISTING', 'BLURRY']);
    expect((await warnings(SELLER, item))[0]).toEqual(['SCALED_DOWN', 'DUPLICATE_IN_LISTING', 'BLURRY']);
    expect((await warnings(null, item))[0]).toEqual(['SCALED_DOWN']);
    await noted([]);
  });

  test('come with a suggested cover, which goes once it is taken', async () => {
    const good = ids[2] ?? '';
    expect((await app.files.getItemPhotos(SELLER, item)).suggestedCover).toBe(good);
    expect((await app.files.getItemPhotos(null, item)).suggestedCover).toBeNull();
    const order = [good, ...ids.filter((id) => id !== good)].map(fileId);
    expect((await app.files.reorderPhotos(SELLER, item, order, null)).suggestedCover).toBeNull();
  });

  test('never stop a photo: one that cannot be measured is ready without', async () => {
    isCoachBroken = true;
    const id = await upload(
      await sharp({ create: { width: 640, height: 480, channels: 3, background: '#123' } })
        .jpeg()
        .toBuffer(),
    );
    isCoachBroken = false;
    expect((await app.files.getPhoto(SELLER, fileId(id))).warnings).toEqual([]);
    expect(app.lines.some(({ message }) => message.includes('could not be measured'))).toBe(true);
  });
});
