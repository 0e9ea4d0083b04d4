import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { StorageError } from '#src/domain/errors.ts';
import { fileId, itemId, userId } from '#src/domain/ids.ts';
import {
  expectDense,
  expectNoOrphans,
  distinctPhoto,
  MODERATOR,
  newItem,
  newSeller,
  OTHER_SELLER,
  photoFile,
  SELLER,
  SERVICE,
  startApp,
  storedKeys,
  type TestApp,
  until,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';
import { refusedUploads } from './uploads-refused.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const WAIT = { waitMs: 15_000 };
const ASYNC = { waitMs: 0 };

describe('one photo', () => {
  test('goes from received to ready with exactly the objects of its plan', async () => {
    const item = await newItem(app);
    const answer = await app.files.uploadItemPhoto(SELLER, item, await photoFile(), WAIT);
    expect(answer.status).toBe('created');
    expect(answer.duplicate).toBe(false);
    expect(answer.photo.variants.original?.formats.jpeg?.url).toContain(`/items/original/${item}/`);

    const file = await untilState(app, answer.photo.id, 'ready');
    await untilDelivered(app);
    const keys = (await storedKeys(app)).filter((key) => key.includes(file.id));
    expect(keys.map((key) => key.replace(/\/[^/]+\.(\w+)$/, '.$1')).toSorted()).toEqual([
      `items/large/${item}.jpg`,
      `items/large/${item}.webp`,
      `items/medium/${item}.jpg`,
      `items/medium/${item}.webp`,
      `items/original/${item}.jpg`,
      `items/thumbnail/${item}.jpg`,
      `items/thumbnail/${item}.webp`,
    ]);
    expect(file).toMatchObject({ stage: null, deadline_at: null, position: 0, reason_code: null });
    expect(file.scan?.verdict).toBe('clean');
    expect(file.moderation?.verdict).toBe('publish');
    expect(file.findings?.gps).toBe(true);
    expect(file.warnings).toEqual([]);
    await expectNoOrphans(app);
  });

  test('tells of each state and stage in order', async () => {
    const item = await newItem(app);
    const { photo } = await app.files.uploadItemPhoto(SELLER, item, await distinctPhoto(), ASYNC);
    await untilState(app, photo.id, 'ready');
    const events = await app.db
      .selectFrom('file_events')
      .select(['state', 'stage'])
      .where('file_id', '=', photo.id)
      .orderBy('id')
      .execute();
    const seen = events.map(({ state, stage }) => `${state}${stage === null ? '' : `:${stage}`}`);
    expect(seen).toEqual([
      'pending:uploading',
      'received:inspect',
      'checking:inspect',
      'checking:scan',
      'checking:decode',
      'checking:moderate',
      'checking:publish',
      'published:publish',
      'published:derive',
      'published:verify',
      'published:finish',
      'ready',
    ]);
  });

  test('wakes whoever listens to the file or its listing', async () => {
    const item = await newItem(app);
    const heard = new Set<string | undefined>();
    const stop = app.events.subscribe({ itemId: item }, (change) => heard.add(change?.fileId));
    const { photo } = await app.files.uploadItemPhoto(SELLER, item, await distinctPhoto(), ASYNC);
    await until('a notification', async () => (heard.has(photo.id) ? true : null));
    stop();
    await untilState(app, photo.id, 'ready');
    heard.clear();
    await app.files.setAlt(SELLER, fileId(photo.id), 'A starfish');
    await app.files.deletePhoto(SELLER, fileId(photo.id));
    await untilState(app, photo.id, 'deleted');
    expect(heard.size).toBe(0);
  });
});

describe('the same bytes', () => {
  test('in the same listing are answered with the photo that is there', async () => {
    const item = await newItem(app);
    const file = await distinctPhoto();
    const first = await app.files.uploadItemPhoto(SELLER, item, file, WAIT);
    const second = await app.files.uploadItemPhoto(SELLER, item, file, WAIT);
    expect(second).toMatchObject({ duplicate: true, photo: { id: first.photo.id } });
    const gallery = await app.files.getItemPhotos(SELLER, item);
    expect(gallery.photos.map((photo) => photo.id)).toEqual([first.photo.id]);
  });

  test('sent five times at once become one photo', async () => {
    const item = await newItem(app);
    const file = await distinctPhoto();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => app.files.uploadItemPhoto(SELLER, item, file, WAIT)),
    );
    expect(new Set(answers.map((answer) => answer.photo.id)).size).toBe(1);
    expect(answers.filter((answer) => !answer.duplicate)).toHaveLength(1);
    await untilState(app, answers[0]?.photo.id ?? '', 'ready');
    await expectDense(app, item);
    await expectNoOrphans(app);
  });

  test('completed twice answer twice with the photo that was there', async () => {
    const item = await newItem(app);
    const file = await distinctPhoto();
    const first = await app.files.uploadItemPhoto(SELLER, item, file, WAIT);
    const { id } = await app.files.reserveUpload(SELLER, {
      kind: 'item_photo',
      itemId: item,
      filename: 'again.jpg',
      type: 'image/jpeg',
      bytes: file.body.length,
    });
    await app.files.receiveUpload(id, file.body);
    for (const _ of [1, 2])
      expect((await app.files.completeUpload(SELLER, id, WAIT)).photo.id).toBe(first.photo.id);
    await untilState(app, id, 'deleted');
    expect((await app.files.completeUpload(SELLER, id, WAIT)).photo.id).toBe(first.photo.id);
  });

  test('in another listing are a photo of its own', async () => {
    const file = await distinctPhoto();
    const one = await app.files.uploadItemPhoto(SELLER, await newItem(app), file, ASYNC);
    const other = await app.files.uploadItemPhoto(SELLER, await newItem(app), file, ASYNC);
    expect(other.photo.id).not.toBe(one.photo.id);
    await untilState(app, one.photo.id, 'ready');
    await untilState(app, other.photo.id, 'ready');
  });
});

describe('an idempotency key', () => {
  test('answers the same bytes with the same photo, and other bytes with IDEMPOTENCY_CONFLICT', async () => {
    const who = newSeller();
    const item = await newItem(app, who);
    const file = await distinctPhoto();
    const options = { ...WAIT, idempotencyKey: 'key-1' };
    const first = await app.files.uploadItemPhoto(who, item, file, options);
    const again = await app.files.uploadItemPhoto(who, item, file, options);
    expect(again.photo.id).toBe(first.photo.id);
    await expect(app.files.uploadItemPhoto(who, item, await distinctPhoto(), options)).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    expect((await app.files.getItemPhotos(who, item)).photos).toHaveLength(1);
  });

  test('makes one photo of requests that come at once, of a profile photo too', async () => {
    const who = newSeller();
    const file = await distinctPhoto();
    const answers = await Promise.all(
      Array.from({ length: 4 }, () =>
        app.files.uploadProfilePhoto(who, userId(who.userId), file, { ...WAIT, idempotencyKey: 'key' }),
      ),
    );
    expect(new Set(answers.map((answer) => answer.photo.id)).size).toBe(1);
    const rows = await app.db.selectFrom('files').select('id').where('owner_id', '=', who.userId).execute();
    expect(rows).toHaveLength(1);
  });

  test('answers a second request with the photo on its way when the first takes longer than it waits', async () => {
    const who = newSeller();
    const item = await newItem(app, who);
    const file = await distinctPhoto();
    const gate = Promise.withResolvers<void>();
    async function* slowly() {
      yield file.body.subarray(0, 1000);
      await gate.promise;
      yield file.body.subarray(1000);
    }
    const first = app.files.uploadItemPhoto(
      who,
      item,
      { ...file, body: Readable.from(slowly()) },
      { ...WAIT, idempotencyKey: 'slow' },
    );
    const reserved = await until('a reserved row', async () => {
      const key = await app.db
        .selectFrom('idempotency_keys')
        .select('file_id')
        .where('caller', '=', who.userId)
        .executeTakeFirst();
      return key?.file_id ?? null;
    });
    const second = await app.files.uploadItemPhoto(who, item, file, { waitMs: 0, idempotencyKey: 'slow' });
    expect(second).toMatchObject({ status: 'accepted', photo: { id: reserved, state: 'pending' } });
    gate.resolve();
    expect((await first).photo.id).toBe(reserved);
  });

  test('is free again after the first request failed', async () => {
    const who = newSeller();
    const item = await newItem(app, who);
    const broken = Readable.from(
      (async function* () {
        yield Buffer.alloc(10);
        throw new StorageError('ABORTED');
      })(),
    );
    const options = { ...WAIT, idempotencyKey: 'retry' };
    await expect(
      app.files.uploadItemPhoto(who, item, { ...(await photoFile()), body: broken }, options),
    ).rejects.toMatchObject({ code: 'ABORTED' });
    const { photo } = await app.files.uploadItemPhoto(who, item, await photoFile(), options);
    expect(photo.position).toBe(0);
  });

  test('of a photo that has been deleted since says that it is gone', async () => {
    const who = newSeller();
    const item = await newItem(app, who);
    const file = await distinctPhoto();
    const options = { ...WAIT, idempotencyKey: 'gone' };
    const { photo } = await app.files.uploadItemPhoto(who, item, file, options);
    await app.files.deletePhoto(who, fileId(photo.id));
    await expect(app.files.uploadItemPhoto(who, item, file, options)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('who may upload', () => {
  test('only the seller and services add photos to a listing', async () => {
    const item = await newItem(app);
    for (const who of [OTHER_SELLER, MODERATOR])
      await expect(app.files.uploadItemPhoto(who, item, await photoFile(), ASYNC)).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
    const { photo } = await app.files.uploadItemPhoto(SERVICE, item, await distinctPhoto(), WAIT);
    expect(photo.ownerId).toBe(SELLER.userId);
  });

  test('a listing that is not there is NOT_FOUND', async () => {
    await expect(
      app.files.uploadItemPhoto(SELLER, itemId('nowhere'), await photoFile(), ASYNC),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('somebody else cannot receive or complete a reservation', async () => {
    const item = await newItem(app);
    const { id } = await app.files.reserveUpload(SELLER, {
      kind: 'item_photo',
      itemId: item,
      filename: 'x.jpg',
      type: 'image/jpeg',
      bytes: 10,
    });
    await expect(app.files.getReservation(OTHER_SELLER, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(app.files.completeUpload(OTHER_SELLER, id, ASYNC)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await app.files.getReservation(SELLER, id)).toMatchObject({ id, bytes: 10 });
    expect((await findFile(app.db, id))?.state).toBe('pending');
  });
});

refusedUploads(() => app);
