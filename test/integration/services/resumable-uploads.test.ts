import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FileId, type ItemId } from '#src/domain/ids.ts';
import { uploadKey } from '#src/domain/keys.ts';
import { sweep } from '#src/jobs/sweep.ts';
import { takeArrival } from '#src/jobs/take-arrival.ts';
import { MAX_PARTS, PART_BYTES } from '#src/services/uploads/parts.ts';
import {
  distinctPhoto,
  expectDense,
  expectNoOrphans,
  newItem,
  SELLER,
  startApp,
  storedKeys,
  type TestApp,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';
import { largePhoto } from '#test/support/large-photo.ts';

let app: TestApp;
let item: ItemId;
let bytes: Buffer;
beforeAll(async () => {
  app = await startApp();
  item = await newItem(app);
  bytes = await largePhoto(7);
});
afterAll(() => app.close());

const WAIT = { waitMs: 15_000 };

async function reserve(body: Buffer, sha256?: string): Promise<FileId> {
  const { id } = await app.files.reserveUpload(SELLER, {
    kind: 'item_photo',
    itemId: item,
    filename: 'large.jpg',
    type: 'image/jpeg',
    bytes: body.length,
    ...(sha256 !== undefined && { sha256 }),
  });
  return id;
}

const offsetOf = async (id: FileId) => (await app.files.uploadProgress(id)).offset;
const partsOf = async (id: FileId) =>
  (await storedKeys(app)).filter((key) => key.startsWith(`temp/uploads/${id}/`));

/** Yields in pieces that end nowhere near a part's end, and then fails. */
async function* breakingAfter(body: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < length; at += 70_001) yield body.subarray(at, Math.min(at + 70_001, length));
  throw new Error('the connection is gone');
}

describe('bytes that come in parts', () => {
  test('are all there up to where the body broke, and make the photo that was sent', async () => {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const id = await reserve(bytes, sha256);
    const cut = PART_BYTES * 3 + 12_345;
    await expect(app.files.appendUpload(id, 0, Readable.from(breakingAfter(bytes, cut)))).rejects.toThrow(
      'the connection is gone',
    );
    expect(await offsetOf(id)).toBe(cut);
    await expect(app.files.completeUpload(SELLER, id, WAIT)).rejects.toMatchObject({
      code: 'UPLOAD_INCOMPLETE',
    });
    expect(await app.files.appendUpload(id, cut, Readable.from([bytes.subarray(cut)]))).toBe(bytes.length);
    const { photo } = await app.files.completeUpload(SELLER, id, WAIT);
    expect(photo).toMatchObject({ id, sha256 });
    await untilState(app, id, 'ready');
    expect(await offsetOf(id)).toBe(bytes.length);
    await untilDelivered(app);
    expect((await storedKeys(app)).filter((key) => key.startsWith('temp/'))).toEqual([]);
    await expectNoOrphans(app);
  });

  test('leave nothing open in the store between two requests that a sweep of abandoned uploads could cut', async () => {
    await untilDelivered(app);
    const { body } = await distinctPhoto();
    const id = await reserve(body);
    await app.files.appendUpload(id, 0, Readable.from([body.subarray(0, 1000)]));
    expect(await app.store.sweepIncomplete(0)).toBe(0);
    expect(await app.files.appendUpload(id, 1000, Readable.from([body.subarray(1000)]))).toBe(body.length);
    expect((await app.files.completeUpload(SELLER, id, WAIT)).photo.id).toBe(id);
    await untilState(app, id, 'ready');
    await untilDelivered(app);
  });

  test('are taken only where the upload stands', async () => {
    const { body } = await distinctPhoto();
    const id = await reserve(body);
    await app.files.appendUpload(id, 0, Readable.from([body.subarray(0, 1000)]));
    for (const offset of [0, 999, 1001])
      await expect(
        app.files.appendUpload(id, offset, Readable.from([body.subarray(offset)])),
      ).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await offsetOf(id)).toBe(1000);
  });

  test('sent by two at once are stored once, whole', async () => {
    const { body } = await distinctPhoto();
    const id = await reserve(body);
    const sent = await Promise.allSettled(
      [1, 2, 3].map(() => app.files.appendUpload(id, 0, Readable.from([body]))),
    );
    expect(sent.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await offsetOf(id)).toBe(body.length);
    const { photo } = await app.files.completeUpload(SELLER, id, WAIT);
    expect(photo.sha256).toBe(createHash('sha256').update(body).digest('hex'));
  });

  test('in very many pieces are refused before the listing of them gets long', async () => {
    const { body } = await distinctPhoto();
    const id = await reserve(body);
    let pieces = 0;
    const refused = async () => {
      for (; pieces <= MAX_PARTS; pieces += 1)
        await app.files.appendUpload(id, pieces, Readable.from([body.subarray(pieces, pieces + 1)]));
    };
    await expect(refused()).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(pieces).toBe(MAX_PARTS);
    await app.files.deletePhoto(SELLER, id);
  });

  test('of another hash than was announced are refused, and gone', async () => {
    const { body } = await distinctPhoto();
    const id = await reserve(body, 'a'.repeat(64));
    await app.files.appendUpload(id, 0, Readable.from([body]));
    for (const _ of [1, 2])
      await expect(app.files.completeUpload(SELLER, id, WAIT)).rejects.toMatchObject({
        code: 'UPLOAD_MISMATCH',
      });
    await untilState(app, id, 'deleted');
    expect(await partsOf(id)).toEqual([]);
    await expectDense(app, item);
  });

  test('go with the reservation that is given up', async () => {
    const { body } = await distinctPhoto();
    const id = await reserve(body);
    await app.files.appendUpload(id, 0, Readable.from([body.subarray(0, 5000)]));
    await app.files.deletePhoto(SELLER, id);
    await expect(offsetOf(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await untilDelivered(app);
    expect(await partsOf(id)).toEqual([]);
  });

  test('that are whole and were never completed are completed by the sweep', async () => {
    const { body } = await distinctPhoto();
    const id = await reserve(body);
    await app.files.appendUpload(id, 0, Readable.from([body]));
    await sweep({ ...app.jobs, clock: { now: () => new Date(Date.now() + 150_000) } });
    expect((await untilState(app, id, 'ready')).upload_sha256).toBe(
      createHash('sha256').update(body).digest('hex'),
    );
  });
});

test('completion told by the client, by an event and by the sweep at once, and again, is one transition', async () => {
  const { body } = await distinctPhoto();
  const id = await reserve(body);
  await app.files.appendUpload(id, 0, Readable.from([body]));
  const tell = () => [
    app.files.completeUpload(SELLER, id, WAIT),
    app.files.completeUpload(SELLER, id, WAIT),
    takeArrival(app.jobs, uploadKey(id)),
    takeArrival(app.jobs, uploadKey(id)),
    sweep({ ...app.jobs, clock: { now: () => new Date(Date.now() + 150_000) } }),
  ];
  await Promise.all(tell());
  await untilState(app, id, 'ready');
  await Promise.all(tell());
  const events = await app.db.selectFrom('file_events').select('state').where('file_id', '=', id).execute();
  expect(events.filter((event) => event.state === 'ready')).toHaveLength(1);
  // `received` is shown with one stage only: another row of it would be another transition.
  expect(events.filter((event) => event.state === 'received')).toHaveLength(1);
  await untilDelivered(app);
  expect((await storedKeys(app)).filter((key) => key.startsWith(`temp/uploads/${id}`))).toEqual([]);
  await expectNoOrphans(app);
});
