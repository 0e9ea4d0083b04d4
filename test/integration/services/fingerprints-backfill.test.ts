import { afterAll, beforeAll, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { hasFingerprint } from '#src/db/fingerprints.ts';
import { findLookalikes } from '#src/db/lookalikes.ts';
import type { ImageEngine } from '#src/ports/image-engine.ts';
import type { Moderator } from '#src/ports/moderator.ts';
import { StorageError } from '#src/domain/errors.ts';
import { fileId } from '#src/domain/ids.ts';
import { backfillFingerprints } from '#src/jobs/backfill-fingerprints.ts';
import { photoToUpload } from '#test/support/altered-photos.ts';
import {
  MODERATOR,
  newItem,
  newSeller,
  startApp,
  type TestApp,
  until,
  untilState,
} from '#test/support/app.ts';

let app: TestApp;
let isDown = false;
/** What happens once, between the next look at a photo and what follows from it. */
let meanwhile: (() => Promise<void>) | null = null;
let isInterruptedOver = false;
beforeAll(async () => {
  app = await startApp({
    env: { FIND_COPIES: 'true', QUEUE_ATTEMPTS: '2' },
    jobs: ({ moderator, images }) => ({ moderator: failing(moderator), images: interrupted(images) }),
  });
});
afterAll(() => app.close());

function failing(moderator: Moderator): Moderator {
  return {
    ...moderator,
    moderate: (photo, signal) => {
      if (isDown) throw new StorageError('MODERATOR_UNAVAILABLE');
      return moderator.moderate(photo, signal);
    },
  };
}

function interrupted(images: ImageEngine): ImageEngine {
  return {
    ...images,
    async open(bytes, options) {
      const image = await images.open(bytes, options);
      let isInterrupted = false;
      return {
        ...image,
        async analyse(signal) {
          const seen = await image.analyse(signal);
          const act = meanwhile;
          meanwhile = null;
          isInterrupted = act !== null;
          await act?.();
          return seen;
        },
        // The work closes its image when all else is done.
        async close() {
          await image.close();
          if (isInterrupted) isInterruptedOver = true;
        },
      };
    },
  };
}

async function settled(name: string) {
  const who = newSeller();
  const file = await photoToUpload(name);
  const { photo } = await app.files.uploadItemPhoto(who, await newItem(app, who), file, { waitMs: 0 });
  return untilState(app, photo.id, 'ready', 'in_review');
}

test('photos from before get fingerprints once, in order, and those that are deleted get none', async () => {
  const [one, other, gone] = [
    await settled('lake.jpg'),
    await settled('waterfall.jpg'),
    await settled('slings.webp'),
  ];
  const { fingerprint } = await analysisOf('lake.jpg');
  await app.files.deletePhoto({ userId: gone.owner_id, roles: ['seller'] }, fileId(gone.id));
  await app.db.deleteFrom('fingerprints').execute();
  await app.db
    .insertInto('fingerprint_backfill')
    .values({ after_id: '00000000-0000-0000-0000-000000000000' })
    .execute();
  const stranger = {
    file: { owner_id: newSeller().userId, item_id: null },
    before: Number.MAX_SAFE_INTEGER,
  };
  expect((await findLookalikes(app.db, fingerprint, stranger)).elsewhere).toEqual([]);
  expect(await backfillFingerprints(app.jobs)).toBe(2);
  const [found] = (await findLookalikes(app.db, fingerprint, stranger)).elsewhere;
  expect(found?.fileId).toBe(one.id);
  expect(await hasFingerprint(app.db, other.id)).toBe(true);
  expect(await hasFingerprint(app.db, gone.id)).toBe(false);
  // The next turn finds nothing left, and ends it.
  expect(await backfillFingerprints(app.jobs)).toBe(0);
  expect(await app.db.selectFrom('fingerprint_backfill').selectAll().execute()).toEqual([]);
});

async function analysisOf(name: string) {
  const { body } = await photoToUpload(name);
  if (!(body instanceof Uint8Array)) throw new Error('Expected bytes');
  const image = await app.jobs.images.open(body, { kind: 'item_photo' });
  try {
    return await image.analyse();
  } finally {
    await image.close();
  }
}

test('a photo that a person published while the moderator was down is looked for afterwards', async () => {
  const older = await settled('dandelion.jpg');
  expect(older.state).toBe('ready');
  isDown = true;
  const unchecked = await settled('dandelion.jpg');
  isDown = false;
  expect(unchecked.state).toBe('in_review');
  expect(await hasFingerprint(app.db, unchecked.id)).toBe(false);
  await app.review.decide(MODERATOR, fileId(unchecked.id), { decision: 'approve', reason: 'Looks fine.' });
  await untilState(app, unchecked.id, 'ready');
  expect((await findFile(app.db, unchecked.id))?.state).toBe('ready');
  const entry = (await app.review.listReview(MODERATOR, { limit: 100 })).photos.find(
    ({ photo }) => photo.id === unchecked.id,
  );
  expect(entry).toMatchObject({ source: 'fingerprint' });
  expect(entry?.findings.filter(({ label }) => label === 'same_photo_elsewhere')).toMatchObject([
    { details: { fileId: older.id } },
  ]);
});

test('a photo that is deleted while it is looked for afterwards gets no fingerprint and no case', async () => {
  expect((await settled('stream.jpg')).state).toBe('ready');
  isDown = true;
  const unchecked = await settled('stream.jpg');
  isDown = false;
  meanwhile = async () => {
    await app.files.deletePhoto({ userId: unchecked.owner_id, roles: ['seller'] }, fileId(unchecked.id));
  };
  await app.review.decide(MODERATOR, fileId(unchecked.id), { decision: 'approve', reason: 'Looks fine.' });
  await until('the late work to end', async () => (isInterruptedOver ? true : null));
  expect(await hasFingerprint(app.db, unchecked.id)).toBe(false);
  const cases = await app.db
    .selectFrom('review_cases')
    .select('source')
    .where('file_id', '=', unchecked.id)
    .where('closed_at', 'is', null)
    .execute();
  expect(cases).toEqual([]);
  const pairs = await app.db
    .selectFrom('photo_matches')
    .select('id')
    .where('newer_id', '=', unchecked.id)
    .execute();
  expect(pairs).toEqual([]);
});
