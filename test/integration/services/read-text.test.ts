import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listFindings } from '#src/db/review-cases.ts';
import { StorageError } from '#src/domain/errors.ts';
import { fileId } from '#src/domain/ids.ts';
import { sweep } from '#src/jobs/sweep.ts';
import type { PhotoText, TextReader } from '#src/ports/text-reader.ts';
import { MODERATOR, newItem, SELLER, startApp, type TestApp, until, untilState } from '#test/support/app.ts';
import { photoWith, printedCode, writing } from '#test/support/texted-photo.ts';

const ASYNC = { waitMs: 0 };
const REAL = { TEXT_READING: 'true' };

async function upload(app: TestApp, body: Buffer): Promise<string> {
  const file = { filename: 'photo.jpg', type: 'image/jpeg', body };
  const { photo } = await app.files.uploadItemPhoto(SELLER, await newItem(app), file, ASYNC);
  return photo.id;
}

/** The end of reading a photo. */
function untilRead(app: TestApp, id: string) {
  return until(
    `the text of ${id} to be read`,
    async () => {
      const row = await app.db
        .selectFrom('text_reads')
        .selectAll()
        .where('file_id', '=', id)
        .executeTakeFirst();
      return row?.outcome == null ? null : row;
    },
    90_000,
  );
}

const queue = async (app: TestApp) => (await app.review.listReview(MODERATOR, { limit: 50 })).photos;

describe('a photo with a telephone number and a QR code', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({ env: REAL });
  });
  afterAll(() => app.close());

  test('is public at once, and stays so while a person is asked about what was found, where it is', async () => {
    const body = await photoWith('dandelion.jpg', [
      { left: 60, top: 80, image: await writing('Call 07700 900123') },
      { left: 600, top: 400, image: await printedCode('https://wa.me/447700900123', 220) },
    ]);
    const id = await upload(app, body);
    await untilState(app, id, 'ready');
    expect(await untilRead(app, id)).toMatchObject({ outcome: 'read', codes: 1, note: null });
    const entry = (await queue(app)).find(({ photo }) => photo.id === id);
    expect(entry).toMatchObject({ source: 'contact', photo: { state: 'ready' } });
    expect(entry?.findings.map(({ label, model }) => [label, model]).toSorted()).toEqual([
      ['phone', 'pp-ocr-v4-mobile'],
      ['qr', 'zxing'],
    ]);
    const [phone, qr] = ['phone', 'qr'].map((label) =>
      entry?.findings.find((found) => found.label === label),
    );
    expect(phone?.details).toEqual({ masked: '077…23' });
    expect(qr?.details).toEqual({ format: 'QRCode', content: 'url', masked: 'wa.me/…' });
    expect(qr?.region?.left).toBeCloseTo((600 + 27) / 1200, 2);
    const kept = JSON.stringify(await listFindings(app.db, [id]));
    expect(kept).not.toContain('900123');
  }, 120_000);

  test('without either is read, and nobody is asked', async () => {
    const id = await upload(app, await photoWith('autumn-hill.jpg', []));
    expect(await untilRead(app, id)).toMatchObject({ outcome: 'read', lines: 0, codes: 0 });
    expect((await listFindings(app.db, [id])).get(id)).toBeUndefined();
    expect((await queue(app)).some(({ photo }) => photo.id === id)).toBe(false);
  }, 120_000);

  test('with a barcode of a product keeps what it is, and nobody is asked', async () => {
    const body = await photoWith('stream.jpg', [
      { left: 100, top: 100, image: await printedCode('5012345678900', 400, 'EAN13') },
    ]);
    const id = await upload(app, body);
    await untilRead(app, id);
    expect((await listFindings(app.db, [id])).get(id)).toMatchObject([
      { label: 'barcode', details: { content: 'product', masked: '' } },
    ]);
    expect((await queue(app)).some(({ photo }) => photo.id === id)).toBe(false);
  }, 120_000);
});

describe('when reading goes wrong', () => {
  const NOTHING: PhotoText = { lines: [], codes: [], versions: {} };
  let app: TestApp;
  let answers: (() => Promise<PhotoText>)[] = [];
  let reads = 0;
  const reader: TextReader = {
    read() {
      reads += 1;
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      return (answer ?? (() => Promise.resolve(NOTHING)))();
    },
    close: () => Promise.resolve(),
  };
  const ended = () =>
    Promise.reject(new StorageError('IMAGE_PROCESS_FAILED', undefined, { details: { reason: 'timeout' } }));

  beforeAll(async () => {
    app = await startApp({ jobs: () => ({ textReader: reader }), env: { QUEUE_ATTEMPTS: '3', ...REAL } });
  });
  beforeEach(() => {
    reads = 0;
  });
  afterAll(() => app.close());

  test('it is tried again', async () => {
    answers = [ended, () => Promise.resolve(NOTHING)];
    const id = await upload(app, await photoWith('lake.jpg', []));
    expect(await untilRead(app, id)).toMatchObject({ outcome: 'read' });
    expect(reads).toBe(2);
  });

  test('it is given up with a note in the end, the photo stays public, others are read', async () => {
    answers = [ended];
    const id = await upload(app, await photoWith('sunset.jpg', []));
    expect(await untilRead(app, id)).toMatchObject({
      outcome: 'given_up',
      note: 'IMAGE_PROCESS_FAILED: timeout',
    });
    expect(reads).toBe(3);
    await untilState(app, id, 'ready');
    answers = [];
    await untilRead(app, await upload(app, await photoWith('nuthatch.jpg', [])));
  });

  test('a job that was lost is asked for again by the sweep', async () => {
    answers = [];
    const id = await upload(app, await photoWith('waterfall.jpg', []));
    await untilRead(app, id);
    await app.db
      .updateTable('text_reads')
      .set({ outcome: null, ended_at: null, asked_at: new Date(Date.now() - 3_600_000) })
      .where('file_id', '=', id)
      .execute();
    await sweep(app.jobs);
    expect(await untilRead(app, id)).toMatchObject({ outcome: 'read' });
    expect(reads).toBe(2);
  });

  test('of an approved photo nobody is asked about what was known then, and about what is new', async () => {
    const region = { left: 0, top: 0, width: 0.1, height: 0.1 };
    const lines = (...texts: string[]) =>
      Promise.resolve({ ...NOTHING, lines: texts.map((text) => ({ text, confidence: 1, region })) });
    answers = [() => lines('+44 7700 900123')];
    const id = await upload(app, await photoWith('dogs.jpg', []));
    await untilRead(app, id);
    const isQueued = async () => (await queue(app)).some(({ photo }) => photo.id === id);
    expect(await isQueued()).toBe(true);
    await app.review.decide(MODERATOR, fileId(id), { decision: 'approve' });
    await readAgain(id);
    expect(await isQueued()).toBe(false);
    answers = [() => lines('+44 7700 900123', 'jane@example.com')];
    await readAgain(id);
    expect(await isQueued()).toBe(true);
  });

  async function readAgain(id: string): Promise<void> {
    await app.db
      .updateTable('text_reads')
      .set({ outcome: null, ended_at: null, asked_at: new Date(0) })
      .where('file_id', '=', id)
      .execute();
    await sweep(app.jobs);
    await untilRead(app, id);
  }
});
