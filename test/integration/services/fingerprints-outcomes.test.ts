import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { listFindings } from '#src/db/review-cases.ts';
import type { Principal } from '#src/domain/access.ts';
import { fileId } from '#src/domain/ids.ts';
import { REVIEW_REASONS } from '#src/domain/review-reasons.ts';
import { type Alteration, photoToUpload } from '#test/support/altered-photos.ts';
import {
  MODERATOR,
  newItem,
  newSeller,
  SELLER,
  startApp,
  type TestApp,
  untilState,
} from '#test/support/app.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ env: { FIND_COPIES: 'true' } });
});
afterAll(() => app.close());

async function settled(who: Principal, name: string, alteration?: Alteration) {
  const file = await photoToUpload(name, alteration);
  const { photo } = await app.files.uploadItemPhoto(who, await newItem(app, who), file, { waitMs: 0 });
  return untilState(app, photo.id, 'ready', 'in_review', 'rejected');
}

/** Two sellers with the same picture, and the id of the pair. */
async function pairOf(name: string) {
  const [first, second] = [newSeller(), newSeller()];
  const older = await settled(first, name);
  const newer = await settled(second, name, 'JPEG quality 40');
  return { first, second, older, newer, matchId: await matchOf(newer.id) };
}

async function matchOf(id: string): Promise<number> {
  const [finding] = (await listFindings(app.db, [id])).get(id) ?? [];
  expect(finding).toMatchObject({ label: 'same_photo_elsewhere' });
  return Number(finding?.details['matchId']);
}

const decide = (
  id: number,
  outcome: 'not_a_copy' | 'same_owner' | 'copied_by_newer' | 'copied_by_older',
  who: Principal = MODERATOR,
) => app.copies.decideMatch(who, id, { outcome, reason: WORDS });
const WORDS = 'Taken from the listing of the other one, Anna.';

/** What a moderator wrote of two photos is kept for staff; the seller of the copy reads the words of the list alone. */
async function expectStandardWords(seller: Principal, copyId: string, newerId: string): Promise<void> {
  expect((await app.files.getPhoto(seller, fileId(copyId))).reason).toEqual({
    code: 'CONTENT_REJECTED',
    message: REVIEW_REASONS.stolen_photo.message,
    reasonCode: 'stolen_photo',
  });
  const entries = await app.db
    .selectFrom('audit.entries')
    .select('details')
    .where('file_id', '=', newerId)
    .execute();
  expect(entries.map(({ details }) => details['reason'])).toContain(WORDS);
}

const OTHER: Principal = { userId: 'another-moderator', roles: ['moderator'] };

/** What was said of a photo and each older one. */
async function outcomesOf(newerId: string) {
  const rows = await app.db
    .selectFrom('photo_matches')
    .select(['older_id', 'outcome'])
    .where('newer_id', '=', newerId)
    .orderBy('older_id')
    .execute();
  return rows.map(({ older_id, outcome }) => [older_id, outcome]);
}

const stateOf = async (id: string) => (await findFile(app.db, id))?.state;

describe('what a moderator says of two photos', () => {
  test('is nothing where one of them is their own', async () => {
    const { first, second, older, newer, matchId } = await pairOf('mountains.jpg');
    for (const { userId } of [first, second]) {
      const who: Principal = { userId, roles: ['seller', 'moderator'] };
      await expect(decide(matchId, 'copied_by_newer', who)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    const ofTheOlder: Principal = { userId: first.userId, roles: ['seller', 'moderator'] };
    const ruling = app.review.decide(ofTheOlder, fileId(newer.id), {
      decision: 'reject',
      reasonCode: 'stolen_photo',
      match: { fileId: older.id, outcome: 'copied_by_newer' },
    });
    await expect(ruling).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(await stateOf(newer.id)).toBe('in_review');
    for (const photo of [newer, older])
      await app.files.deletePhoto(photo === newer ? second : first, fileId(photo.id));
  });

  test('not a copy: the newer one is published, and the pair stays dismissed until one of them is deleted', async () => {
    const { second, older, newer, matchId } = await pairOf('nuthatch.jpg');
    expect(newer.state).toBe('in_review');
    expect(await decide(matchId, 'not_a_copy')).toMatchObject({
      outcome: 'not_a_copy',
      newer: { state: 'published' },
    });
    await untilState(app, newer.id, 'ready');
    expect(await stateOf(older.id)).toBe('ready');
    const again = await settled(second, 'nuthatch.jpg', 'half the size');
    expect(again.state).toBe('ready');
    // A third person is another matter.
    expect((await settled(newSeller(), 'nuthatch.jpg', 'half the size')).state).toBe('in_review');

    for (const { id } of [newer, again]) await app.files.deletePhoto(second, fileId(id));
    const kept = await app.db
      .selectFrom('photo_matches')
      .selectAll()
      .where('newer_id', '=', newer.id)
      .execute();
    expect(kept).toMatchObject([
      { outcome: 'not_a_copy', newer_hash: null, older_hash: null, newer_owner: null, older_owner: null },
    ]);
    expect((await listFindings(app.db, [newer.id])).get(newer.id) ?? []).toEqual([]);
    expect(await findFile(app.db, newer.id)).toMatchObject({ analysis: null, placeholder: null });
    expect((await settled(second, 'nuthatch.jpg', 'half the size')).state).toBe('in_review');
  });

  test('same owner: nothing that these two people upload is compared any more, whoever is first', async () => {
    const { first, second, newer, matchId } = await pairOf('dogs.jpg');
    await decide(matchId, 'same_owner');
    await untilState(app, newer.id, 'ready');
    // What was said of two people outlives the photos.
    await app.files.deletePhoto(second, fileId(newer.id));
    expect((await settled(second, 'stream.jpg')).state).toBe('ready');
    expect((await settled(first, 'stream.jpg', 'mirrored')).state).toBe('ready');
  });

  test('copied by the newer: it is refused in the words of the list, the older one stays', async () => {
    const { second, older, newer, matchId } = await pairOf('sunset.jpg');
    expect(await decide(matchId, 'copied_by_newer')).toMatchObject({
      newer: { id: newer.id, state: 'rejected' },
      older: { id: older.id, state: 'ready' },
    });
    await expectStandardWords(second, newer.id, newer.id);
    await expect(decide(matchId, 'not_a_copy')).rejects.toMatchObject({ code: 'ALREADY_DECIDED' });
  });

  test('copied by the older: it is taken down in the words of the list, and the newer one is published', async () => {
    const { first, older, newer, matchId } = await pairOf('mountains.jpg');
    // Nothing of it is done while a part of it cannot be.
    await app.review.claim(OTHER, { ids: [newer.id] });
    await expect(decide(matchId, 'copied_by_older')).rejects.toMatchObject({ code: 'CLAIMED' });
    expect(await stateOf(older.id)).toBe('ready');
    expect(await outcomesOf(newer.id)).toEqual([[older.id, null]]);
    await app.review.release(OTHER);
    await decide(matchId, 'copied_by_older');
    expect(await stateOf(older.id)).toBe('taken_down');
    await untilState(app, newer.id, 'ready');
    const told = JSON.stringify(await app.files.getPhoto(first, fileId(older.id)));
    expect(told).not.toContain(newer.id);
    await expectStandardWords(first, older.id, newer.id);
  });

  test('can be part of the decision on the newer one, of all its pairs at once: the copies leave, or nothing happens', async () => {
    const { first, older, newer: other } = await pairOf('lake.jpg');
    const newest = await settled(newSeller(), 'lake.jpg', 'half the size');
    const matches = [
      { fileId: older.id, outcome: 'copied_by_older' },
      { fileId: other.id, outcome: 'not_a_copy' },
    ] as const;
    const ruling = { decision: 'approve', reason: WORDS, matches } as const;
    await app.review.claim(OTHER, { ids: [newest.id] });
    await expect(app.review.decide(MODERATOR, fileId(newest.id), ruling)).rejects.toMatchObject({
      code: 'CLAIMED',
    });
    expect(await stateOf(older.id)).toBe('ready');
    await app.review.release(OTHER);
    await app.review.decide(MODERATOR, fileId(newest.id), ruling);
    await untilState(app, newest.id, 'ready');
    const file = await findFile(app.db, older.id);
    expect(file).toMatchObject({ state: 'taken_down', content_reason: 'stolen_photo' });
    expect(await stateOf(other.id)).toBe('in_review');
    await expectStandardWords(first, older.id, newest.id);
    expect(await outcomesOf(newest.id)).toEqual([
      [older.id, 'copied_by_older'],
      [other.id, 'not_a_copy'],
    ]);
  });

  test('is refused where it contradicts itself: a copy is not approved, and nothing is said twice', async () => {
    const { older, newer } = await pairOf('autumn-hill.jpg');
    const approval = (...outcomes: ('copied_by_newer' | 'not_a_copy')[]) =>
      app.review.decide(MODERATOR, fileId(newer.id), {
        decision: 'approve',
        matches: outcomes.map((outcome) => ({ fileId: older.id, outcome })),
      });
    await expect(approval('copied_by_newer')).rejects.toMatchObject({ code: 'CONTRADICTION' });
    await expect(approval('not_a_copy', 'copied_by_newer')).rejects.toMatchObject({ code: 'CONTRADICTION' });
    expect(await stateOf(newer.id)).toBe('in_review');
    expect(await outcomesOf(newer.id)).toEqual([[older.id, null]]);
    await app.review.decide(MODERATOR, fileId(newer.id), {
      decision: 'reject',
      reasonCode: 'stolen_photo',
      match: { fileId: older.id, outcome: 'copied_by_newer' },
    });
    expect(await outcomesOf(newer.id)).toEqual([[older.id, 'copied_by_newer']]);
    await app.files.deletePhoto({ userId: older.owner_id, roles: ['seller'] }, fileId(older.id));
  });

  test('takes no photo down that is not of the pair', async () => {
    const { newer } = await pairOf('dandelion.jpg');
    const stranger = await settled(newSeller(), 'lumia-820-starfish.jpg');
    const match = { fileId: stranger.id, outcome: 'copied_by_older' } as const;
    await app.review.decide(MODERATOR, fileId(newer.id), { decision: 'approve', reason: 'Fine.', match });
    expect(await stateOf(stranger.id)).toBe('ready');
  });

  test('an older one that was deleted meanwhile is no obstacle', async () => {
    const { first, older, newer, matchId } = await pairOf('slings.webp');
    await app.files.deletePhoto(first, fileId(older.id));
    expect(await decide(matchId, 'copied_by_older')).toMatchObject({ older: null });
    await untilState(app, newer.id, 'ready');
  });

  test('is written down, and asked of staff only', async () => {
    const { newer, matchId } = await pairOf('waterfall.jpg');
    await expect(decide(matchId, 'not_a_copy', SELLER)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(decide(999_999, 'not_a_copy')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await decide(matchId, 'not_a_copy');
    const entries = await app.db
      .selectFrom('audit.entries')
      .select(['user_id', 'details'])
      .where('file_id', '=', newer.id)
      .where('action', '=', 'match.decide')
      .execute();
    expect(entries).toMatchObject([
      { user_id: MODERATOR.userId, details: { matchId, outcome: 'not_a_copy' } },
    ]);
  });
});
