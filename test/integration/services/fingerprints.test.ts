import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { listFindings } from '#src/db/review-cases.ts';
import type { Principal } from '#src/domain/access.ts';
import { StorageError } from '#src/domain/errors.ts';
import { type FileId, fileId, type ItemId, itemId } from '#src/domain/ids.ts';
import type { ImageEngine } from '#src/ports/image-engine.ts';
import { type Alteration, photoToUpload } from '#test/support/altered-photos.ts';
import {
  ADMIN,
  MODERATOR,
  newItem,
  newSeller,
  startApp,
  type TestApp,
  until,
  untilState,
} from '#test/support/app.ts';

let app: TestApp;
let brokenEncodings = 0;
beforeAll(async () => {
  app = await startApp({
    env: { FIND_COPIES: 'true' },
    jobs: ({ images }) => ({ images: encoding(images) }),
  });
});
afterAll(() => app.close());

/** The real engine, whose next `brokenEncodings` encodings find their process dead. */
function encoding(images: ImageEngine): ImageEngine {
  return {
    ...images,
    async open(bytes, options) {
      const image = await images.open(bytes, options);
      return {
        ...image,
        encode: async (variant, signal) => {
          if (brokenEncodings === 0) return image.encode(variant, signal);
          brokenEncodings -= 1;
          throw new StorageError('IMAGE_PROCESS_FAILED');
        },
      };
    },
  };
}

const ASYNC = { waitMs: 0 };

async function upload(who: Principal, name: string, alteration?: Alteration, item?: ItemId): Promise<FileId> {
  const into = item ?? (await newItem(app, who));
  const { photo } = await app.files.uploadItemPhoto(who, into, await photoToUpload(name, alteration), ASYNC);
  return fileId(photo.id);
}

/** Uploads it and waits for what becomes of it. */
async function settled(who: Principal, name: string, alteration?: Alteration, item?: ItemId) {
  return untilState(app, await upload(who, name, alteration, item), 'ready', 'in_review', 'rejected');
}

async function copiesOf(id: string) {
  const findings = (await listFindings(app.db, [id])).get(id) ?? [];
  return findings.filter(({ label }) => label === 'same_photo_elsewhere');
}

describe('the same photo with another seller', () => {
  test.each([
    ['nuthatch.jpg', 'JPEG quality 40'],
    ['dogs.jpg', 'mirrored and cropped by 10 %'],
    ['sunset.jpg', 'white frame of 5 %'],
    ['mountains.jpg', 'cropped by 10 % at a corner'],
    ['stream.jpg', 'rotated by 90° and cropped by 10 %'],
  ] as const)('%s, %s, waits for a moderator beside the older one', async (name, alteration) => {
    const [first, second] = [newSeller(), newSeller()];
    const older = await settled(first, name);
    expect(older.state).toBe('ready');
    // What it could be recognised by is in its fingerprint alone.
    expect(Object.keys(older.analysis ?? {}).toSorted()).toEqual(['gun', 'labels', 'models', 'nsfw']);
    const newer = await settled(second, name, alteration);
    expect(newer.state).toBe('in_review');
    expect(await copiesOf(newer.id)).toMatchObject([
      { source: 'fingerprint', label: 'same_photo_elsewhere', details: { fileId: older.id } },
    ]);
    const entry = (await app.review.listReview(MODERATOR, { limit: 100 })).photos.find(
      ({ photo }) => photo.id === newer.id,
    );
    expect(entry?.source).toBe('fingerprint');
    expect(entry?.findings.filter(({ label }) => label === 'same_photo_elsewhere')).toHaveLength(1);
    expect((await findFile(app.db, older.id))?.state).toBe('ready');
  });

  test('is told to neither seller: all that they read of it names no other photo and no other person', async () => {
    const [first, second] = [newSeller(), newSeller()];
    const older = await settled(first, 'autumn-hill.jpg');
    const newer = await settled(second, 'autumn-hill.jpg', 'mirrored');
    expect(newer.state).toBe('in_review');
    const read = JSON.stringify([
      await app.files.getPhoto(second, fileId(newer.id)),
      await app.files.getItemPhotos(second, itemId(newer.item_id ?? '')),
    ]);
    expect(read).toContain(newer.id);
    for (const secret of [older.id, older.item_id ?? '', first.userId, 'same_photo', 'fingerprint'])
      expect(read).not.toContain(secret);
    const told = JSON.stringify(await app.files.getPhoto(first, fileId(older.id)));
    for (const secret of [newer.id, newer.item_id ?? '', second.userId]) expect(told).not.toContain(secret);
    const events = await app.db
      .selectFrom('file_events')
      .selectAll()
      .where('file_id', '=', newer.id)
      .execute();
    expect(JSON.stringify(events)).not.toContain(older.id);
  });

  test('is no matter when both are of one seller', async () => {
    const seller = newSeller();
    expect((await settled(seller, 'slings.webp')).state).toBe('ready');
    expect((await settled(seller, 'slings.webp', 'mirrored')).state).toBe('ready');
  });
});

describe('a photo that shows what another one of its listing shows', () => {
  test('is published with a hint, and the other one stays as it is', async () => {
    const seller = newSeller();
    const item = await newItem(app, seller);
    const first = await settled(seller, 'waterfall.jpg', undefined, item);
    const again = await settled(seller, 'waterfall.jpg', 'JPEG quality 40', item);
    expect([first.state, again.state]).toEqual(['ready', 'ready']);
    expect(again.warnings).toContain('DUPLICATE_IN_LISTING');
    expect((await findFile(app.db, first.id))?.warnings).not.toContain('DUPLICATE_IN_LISTING');
  });
});

describe('at the same time', () => {
  test('of two sellers with the same picture exactly one is found', async () => {
    const sellers = [newSeller(), newSeller()];
    const ids = await Promise.all(
      sellers.map((who, index) => upload(who, 'lake.jpg', index === 0 ? undefined : 'JPEG quality 40')),
    );
    const files = await Promise.all(ids.map((id) => untilState(app, id, 'ready', 'in_review')));
    expect(files.map(({ state }) => state).toSorted()).toEqual(['in_review', 'ready']);
  });

  test('work that runs twice finds it once', async () => {
    const [older, other] = [await settled(newSeller(), 'dandelion.jpg'), newSeller()];
    // The one that is begun early, and the one that is made when it is needed.
    brokenEncodings = 2;
    const newer = await settled(other, 'dandelion.jpg', 'half the size');
    expect(brokenEncodings).toBe(0);
    expect(newer.attempts).toBe(2);
    const rows = await app.db
      .selectFrom('photo_matches')
      .selectAll()
      .where('newer_id', '=', newer.id)
      .execute();
    expect(rows.map(({ older_id }) => older_id)).toEqual([older.id]);
    const prints = await app.db
      .selectFrom('fingerprints')
      .select('id')
      .where('file_id', '=', newer.id)
      .execute();
    expect(prints).toHaveLength(1);
  });
});

describe('deleting', () => {
  test('takes the fingerprint along, and the picture is free for others', async () => {
    const seller = newSeller();
    const first = await settled(seller, 'lumia-820-starfish.jpg');
    await app.files.deletePhoto(seller, fileId(first.id));
    await until('the fingerprint to be gone', async () => {
      const row = await app.db
        .selectFrom('fingerprints')
        .select('id')
        .where('file_id', '=', first.id)
        .executeTakeFirst();
      return row === undefined ? true : null;
    });
    expect((await settled(newSeller(), 'lumia-820-starfish.jpg', 'mirrored')).state).toBe('ready');
  });

  test('is refused under hold: a held photo is still found', async () => {
    const seller = newSeller();
    const held = await settled(seller, 'slings.webp', 'cropped by 5 %');
    await app.lifecycle.setHold(ADMIN, fileId(held.id), 'A court asks.');
    await expect(app.files.deletePhoto(seller, fileId(held.id))).rejects.toMatchObject({
      code: 'LEGAL_HOLD',
    });
    const newer = await settled(newSeller(), 'slings.webp', 'cropped by 10 %');
    expect(newer.state).toBe('in_review');
    expect((await copiesOf(newer.id)).map(({ details }) => details['fileId'])).toContain(held.id);
  });
});
