import { afterAll, beforeAll, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { hasFingerprint } from '#src/db/fingerprints.ts';
import { findLookalikes } from '#src/db/lookalikes.ts';
import { listVariants } from '#src/db/variants.ts';
import type { ImageEngine } from '#src/ports/image-engine.ts';
import type { Moderator } from '#src/ports/moderator.ts';
import { StorageError } from '#src/domain/errors.ts';
import { fileId } from '#src/domain/ids.ts';
import { newFileId } from '#src/services/new-id.ts';
import { backfillFingerprints } from '#src/jobs/backfill-fingerprints.ts';
import { photoToUpload } from '#test/support/altered-photos.ts';
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
let isDown = false;
/** What happens once, between the next look at a photo and what follows from it. */
let meanwhile: (() => Promise<void>) | null = null;
let isInterruptedOver = false;
/** The length of the rendition that ends every process which opens it. */
let deadlyBytes: number | null = null;
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
      if (bytes.length === deadlyBytes) throw new StorageError('IMAGE_PROCESS_FAILED');
      const image = await images.open(bytes, options);
      let isInterrupted = false;
      return {
        ...image,
        async fingerprint(signal) {
          const seen = await image.fingerprint(signal);
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

/** As if these were from before there were fingerprints; the schedule of the service may be faster than we. */
async function printedAgain(...files: readonly { id: string }[]): Promise<void> {
  await app.db
    .insertInto('fingerprint_backfill')
    .values({ after_id: '00000000-0000-0000-0000-000000000000' })
    .execute();
  await until('the backfill to end', async () => {
    await backfillFingerprints(app.jobs);
    const open = await app.db.selectFrom('fingerprint_backfill').selectAll().executeTakeFirst();
    return open === undefined ? true : null;
  });
  for (const { id } of files) expect(await hasFingerprint(app.db, id)).toBe(true);
}

const forgetPrint = (id: string) => app.db.deleteFrom('fingerprints').where('file_id', '=', id).execute();

async function openCaseFor(id: string) {
  const { photos } = await app.review.listReview(MODERATOR, { limit: 100 });
  return photos.find(({ photo }) => photo.id === id);
}

test('photos from before get fingerprints, but those that are deleted, or that no process survives', async () => {
  const [one, other, gone, deadly] = [
    await settled('lake.jpg'),
    await settled('waterfall.jpg'),
    await settled('slings.webp'),
    await settled('autumn-hill.jpg'),
  ];
  const { fingerprint } = await analysisOf('lake.jpg');
  await app.files.deletePhoto({ userId: gone.owner_id, roles: ['seller'] }, fileId(gone.id));
  await app.db.deleteFrom('fingerprints').execute();
  const medium = (await listVariants(app.db, [deadly.id])).find(
    ({ name, format }) => name === 'medium' && format === 'jpeg',
  );
  deadlyBytes = medium?.bytes ?? null;
  const stranger = {
    file: { id: newFileId(), owner_id: newSeller().userId, item_id: null },
    which: { before: Number.MAX_SAFE_INTEGER },
  };
  expect((await findLookalikes(app.db, fingerprint, stranger)).elsewhere).toEqual([]);
  await printedAgain(one, other);
  const [found] = (await findLookalikes(app.db, fingerprint, stranger)).elsewhere;
  expect(found?.fileId).toBe(one.id);
  expect(await hasFingerprint(app.db, gone.id)).toBe(false);
  expect(await hasFingerprint(app.db, deadly.id)).toBe(false);
  const tried = await app.db.selectFrom('fingerprint_attempts').select('file_id').execute();
  expect(tried).toEqual([{ file_id: deadly.id }]);
  deadlyBytes = null;
});

test('a photo from before makes a case of a copy that was uploaded meanwhile, which stays public until it is decided', async () => {
  const older = await settled('mountains.jpg');
  await forgetPrint(older.id);
  const newer = await settled('mountains.jpg');
  expect(newer.state).toBe('ready');
  await printedAgain(older);
  const open = await openCaseFor(newer.id);
  expect(open).toMatchObject({ source: 'fingerprint', photo: { state: 'ready' } });
  const [finding] = open?.findings.filter(({ label }) => label === 'same_photo_elsewhere') ?? [];
  expect(finding?.details).toMatchObject({ fileId: older.id });
  const said = { outcome: 'not_a_copy', reason: 'The same view.' } as const;
  await app.copies.decideMatch(MODERATOR, Number(finding?.details['matchId']), said);
  expect(await openCaseFor(newer.id)).toBeUndefined();
  expect((await findFile(app.db, newer.id))?.state).toBe('ready');
});

test('a photo that is brought back makes a case of a copy that was uploaded while it was down', async () => {
  const older = await settled('sunset.jpg');
  await app.review.decide(MODERATOR, fileId(older.id), { decision: 'takedown', reasonCode: 'not_the_item' });
  const newer = await settled('sunset.jpg');
  expect(newer.state).toBe('ready');
  await app.review.decide(ADMIN, fileId(older.id), { decision: 'approve' });
  const open = await until('the case', async () => (await openCaseFor(newer.id)) ?? null);
  expect(open).toMatchObject({ source: 'fingerprint', photo: { state: 'ready' } });
  expect(open.findings).toMatchObject([{ label: 'same_photo_elsewhere', details: { fileId: older.id } }]);
});

test('a ban of a photo without a fingerprint waits for it, says so, and comes into force', async () => {
  const photo = await settled('nuthatch.jpg');
  await forgetPrint(photo.id);
  deadlyBytes =
    (await listVariants(app.db, [photo.id])).find(({ name }) => name === 'original')?.bytes ?? null;
  await app.review.decide(MODERATOR, fileId(photo.id), { decision: 'takedown', reasonCode: 'weapon' });
  const ban = async () =>
    (await app.copies.listBanned(MODERATOR, { limit: 100 })).pictures.find((one) => one.fileId === photo.id);
  expect(await ban()).toMatchObject({ reasonCode: 'weapon', isInForce: false });
  deadlyBytes = null;
  await app.db.deleteFrom('fingerprint_attempts').execute();
  await until('the ban to be in force', async () => {
    await backfillFingerprints(app.jobs);
    return (await ban())?.isInForce === true ? true : null;
  });
  const who = newSeller();
  const again = app.files.uploadItemPhoto(who, await newItem(app, who), await photoToUpload('nuthatch.jpg'), {
    waitMs: 15_000,
  });
  await expect(again).rejects.toMatchObject({ code: 'BANNED_IMAGE' });
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
