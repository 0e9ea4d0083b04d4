import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import { userId } from '#src/domain/ids.ts';
import { listCanaries } from '#src/db/scanner-canaries.ts';
import type { ImageEngine } from '#src/ports/image-engine.ts';
import type { ModerationResult, Moderator } from '#src/ports/moderator.ts';
import type { Scanner, ScanResult } from '#src/ports/scanner.ts';
import {
  expectNoOrphans,
  distinctPhoto,
  MODERATOR,
  newItem,
  newSeller,
  startApp,
  storedKeys,
  type TestApp,
  until,
  untilState,
} from '#test/support/app.ts';
import { truncatedJpeg } from '#test/support/hostile.ts';

let app: TestApp;
let scan: ((real: () => Promise<ScanResult>) => Promise<ScanResult>) | null = null;
let judge: ((real: () => Promise<ModerationResult>) => Promise<ModerationResult>) | null = null;

let brokenEncodings = 0;

beforeAll(async () => {
  app = await startApp({
    env: {
      QUEUE_ATTEMPTS: '3',
      // A job that a busy process has not renewed in time is tried once more, and tries are counted here.
      QUEUE_LOCK_MS: '20000',
      SAFETY_CHECK_TIMEOUT_MS: '1000',
      SCANNER_CANARY_SECONDS: '3600',
    },
    jobs: ({ scanner, moderator, images }) => ({
      scanner: scanning(scanner),
      moderator: judging(moderator),
      images: encoding(images),
    }),
  });
  // From now on only photos are scanned, for as long as the tests take.
  await until('the canary', async () => (await listCanaries(app.db, new Date(0)))[0] ?? null);
});
afterAll(() => app.close());

function scanning(scanner: Scanner): Scanner {
  return {
    ...scanner,
    scan: (body, signal) => {
      const real = () => scanner.scan(body, signal);
      return scan === null ? real() : scan(real);
    },
  };
}

function judging(moderator: Moderator): Moderator {
  return {
    ...moderator,
    moderate: (photo, signal) => {
      const real = () => moderator.moderate(photo, signal);
      return judge === null ? real() : judge(real);
    },
  };
}

/** The real engine, whose next `brokenEncodings` encodings find their process dead. */
function encoding(images: ImageEngine): ImageEngine {
  return {
    ...images,
    open: async (bytes, options) => {
      const image = await images.open(bytes, options);
      return {
        ...image,
        encode: async (variant, signal) => {
          if (brokenEncodings <= 0) return image.encode(variant, signal);
          brokenEncodings -= 1;
          throw new StorageError('IMAGE_PROCESS_FAILED');
        },
      };
    },
  };
}

/** What an adapter with a fault might hand over: text from the network that was never looked at. */
const nonsense = (text: string) => async () => JSON.parse(text);
const never = () => new Promise<never>(() => undefined);
const down = (code: 'SCANNER_UNAVAILABLE' | 'MODERATOR_UNAVAILABLE') => async () => {
  throw new StorageError(code);
};
const crash = async () => {
  throw new TypeError('undefined is not a function');
};

async function upload(body?: Uint8Array) {
  const who = newSeller();
  const item = await newItem(app, who);
  const file = body === undefined ? await distinctPhoto() : { filename: 'x.jpg', type: null, body };
  const { photo } = await app.files.uploadItemPhoto(who, item, file, { waitMs: 0 });
  return { who, id: photo.id };
}

async function expectHeld(id: string, code: string) {
  const file = await untilState(app, id, 'in_review', 'published', 'ready', 'failed', 'rejected');
  expect(file).toMatchObject({ state: 'in_review', reason_code: code });
  const history = await app.db.selectFrom('file_events').select('state').where('file_id', '=', id).execute();
  expect(history.map((event) => event.state)).not.toContain('published');
  expect((await storedKeys(app)).filter((key) => key.includes(id) && key.startsWith('items/'))).toEqual([]);
  await expectNoOrphans(app);
}

describe('a scanner that', () => {
  test.each([
    ['is down', down('SCANNER_UNAVAILABLE')],
    ['hangs and listens to nobody', never],
    ['crashes', crash],
    ['answers nothing', nonsense('null')],
    ['answers nonsense', nonsense('{"verdict":"OK","signature":null,"scanner":"x","version":"1"}')],
  ])('%s: the photo is tried again, then waits for a person, and was never public', async (_name, answer) => {
    scan = answer;
    let tries = 0;
    scan = (real) => {
      tries += 1;
      return answer === never ? never() : Promise.resolve(real).then(answer);
    };
    const { id } = await upload();
    await expectHeld(id, 'SCANNER_UNAVAILABLE');
    expect(tries).toBe(3);
    scan = null;
    const { photos } = await app.review.listReview(MODERATOR, { limit: 100 });
    expect(photos.find((entry) => entry.photo.id === id)?.viewUrl).toContain('/quarantine/view/');
  });

  test('is down only for a moment does not keep a photo', async () => {
    let tries = 0;
    scan = (real) => {
      tries += 1;
      return tries === 1 ? Promise.reject(new StorageError('SCANNER_UNAVAILABLE')) : real();
    };
    const { id } = await upload();
    await untilState(app, id, 'ready');
    scan = null;
    expect(tries).toBe(2);
  });

  test('is down for bytes that are no photo: refused, not asked about', async () => {
    scan = down('SCANNER_UNAVAILABLE');
    const { id } = await upload((await truncatedJpeg()).bytes);
    const file = await untilState(app, id, 'in_review', 'rejected', 'failed');
    scan = null;
    expect(file).toMatchObject({ state: 'rejected', reason_code: 'INVALID_IMAGE' });
    await expectNoOrphans(app);
  });

  test('is down for a document: failed with a reason, never ready, shredded', async () => {
    scan = down('SCANNER_UNAVAILABLE');
    const who = newSeller();
    const { photo } = await app.files.uploadVerificationDocument(
      who,
      userId(who.userId),
      await distinctPhoto(),
      { waitMs: 0 },
    );
    const file = await untilState(app, photo.id, 'failed', 'ready');
    scan = null;
    expect(file).toMatchObject({ state: 'failed', reason_code: 'PROCESSING_FAILED' });
    await expectNoOrphans(app);
    const keys = await app.db.selectFrom('document_keys').select('file_id').execute();
    expect(keys).toEqual([]);
  });
});

describe('a moderator that', () => {
  test.each([
    ['is down', down('MODERATOR_UNAVAILABLE')],
    ['hangs', never],
    ['crashes', crash],
    ['answers nonsense', nonsense('{"verdict":"fine","labels":[],"moderator":"x","versions":{}}')],
    ['answers half', nonsense('{"verdict":"publish"}')],
  ])('%s: the photo is tried again, then waits for a person, and was never public', async (_name, answer) => {
    judge = answer;
    const { id } = await upload();
    await expectHeld(id, 'MODERATOR_UNAVAILABLE');
    judge = null;
  });

  test('is down while the picture for the person fails once in each try: it is made anew, and the photo waits', async () => {
    judge = down('MODERATOR_UNAVAILABLE');
    brokenEncodings = 3;
    const { id } = await upload();
    await expectHeld(id, 'MODERATOR_UNAVAILABLE');
    judge = null;
  });

  test('is down while no picture can be made for the person: the photo fails with its last try', async () => {
    judge = down('MODERATOR_UNAVAILABLE');
    brokenEncodings = Number.POSITIVE_INFINITY;
    const { id } = await upload();
    const file = await untilState(app, id, 'failed', 'in_review', 'published', 'ready', 'rejected');
    judge = null;
    brokenEncodings = 0;
    expect(file).toMatchObject({ state: 'failed', reason_code: 'PROCESSING_FAILED' });
    await expectNoOrphans(app);
  });
});
