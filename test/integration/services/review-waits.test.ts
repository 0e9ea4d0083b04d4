import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkReadiness } from '#src/app/readiness.ts';
import { transition } from '#src/db/files.ts';
import { openCaseOf } from '#src/db/review-cases.ts';
import { fileId } from '#src/domain/ids.ts';
import { watchReview } from '#src/jobs/review-waits.ts';
import {
  ADMIN,
  distinctPhoto,
  MODERATOR,
  newItem,
  newSeller,
  startApp,
  type TestApp,
  untilState,
} from '#test/support/app.ts';
import { waitingPhotos } from '#test/support/waiting-photos.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ env: { REVIEW_ALARM_HOURS: '5', REVIEW_SECOND_LOOK_HOURS: '2' } });
});
afterAll(() => app.close());

const ONE = { userId: 'moderator-one', roles: ['moderator'] } as const;
const HOUR_MS = 3_600_000;
const readiness = async () => (await checkReadiness(app)).find(({ name }) => name === 'review');
const ledger = async () => {
  const { entries } = await app.audit.list(ADMIN, {}, { limit: 10 });
  return entries.flatMap(({ action, details }) => (action.startsWith('alarm.') ? [[action, details]] : []));
};
const logged = () =>
  app.lines.filter(
    ({ level, details }) => level === 'error' && JSON.stringify(details).includes('"alarm":"review"'),
  );

test('photos that wait too long for a moderator are an alarm, told once, that clears by itself', async () => {
  const [first = ''] = await waitingPhotos(app.db, 2);
  expect(await watchReview(app.jobs)).toBe(0);
  expect(await readiness()).toEqual({ name: 'review', ok: true });

  const since = new Date(Date.now() - 6 * HOUR_MS);
  await app.db.updateTable('review_cases').set({ opened_at: since }).where('file_id', '=', first).execute();
  for (const _ of [1, 2]) expect(await watchReview(app.jobs)).toBe(1);
  expect(await readiness()).toMatchObject({ ok: true, degraded: true, error: '1 waiting for more than 5 h' });
  expect((await app.moderation.overview(MODERATOR)).late).toEqual({
    count: 1,
    oldest: since.toISOString(),
    hours: 5,
  });
  expect(logged()).toHaveLength(1);
  const raised = ['alarm.raise', { alarm: 'review', hours: 5, count: 1, oldest: since.toISOString() }];
  expect(await ledger()).toEqual([raised]);

  await transition(app.db, { id: first, from: 'in_review' }, 'rejected');
  expect(await watchReview(app.jobs)).toBe(0);
  expect(await readiness()).toEqual({ name: 'review', ok: true });
  expect((await app.moderation.overview(MODERATOR)).late).toMatchObject({ count: 0, oldest: null });
  expect((await ledger()).map(([action]) => action)).toEqual(['alarm.clear', 'alarm.raise']);
});

test('a second look is for the same moderator when no other is at work, or has had the time, and says so', async () => {
  const seller = newSeller();
  const item = await newItem(app, seller);
  const { photo } = await app.files.uploadItemPhoto(seller, item, await distinctPhoto(), { waitMs: 0 });
  await untilState(app, photo.id, 'ready');
  const id = fileId(photo.id);
  const isQueued = async () =>
    (await app.review.listReview(ONE, { limit: 100 })).photos.some((entry) => entry.photo.id === id);
  const confirm = () => app.review.decide(ONE, id, { decision: 'takedown', reason: 'Still.' });
  const age = (change: { opened_at?: Date; for_all_at?: Date }) =>
    app.db.updateTable('review_cases').set(change).where('file_id', '=', id).execute();

  await app.review.decide(ONE, id, { decision: 'takedown', reason: 'No.' });
  expect(await isQueued()).toBe(false);
  await expect(confirm()).rejects.toMatchObject({ code: 'ALREADY_DECIDED' });
  await age({ opened_at: new Date(Date.now() - HOUR_MS / 4) });
  expect(await isQueued()).toBe(true);

  // Somebody else is at work, until the time that others have is over.
  await waitingPhotos(app.db, 1);
  expect((await app.review.claim(MODERATOR, { count: 1, except: [id] })).claimed).toHaveLength(1);
  expect(await isQueued()).toBe(false);
  const open = await openCaseOf(app.db, id);
  expect(open?.for_all_at?.getTime()).toBeLessThanOrEqual(Date.now() + 2 * HOUR_MS);
  await age({ for_all_at: new Date(Date.now() - 1) });
  expect(await isQueued()).toBe(true);
  expect((await confirm()).state).toBe('taken_down');
  const { entries } = await app.audit.list(ADMIN, { fileId: id, action: 'photo.takedown' }, { limit: 5 });
  const own = entries.filter(({ details }) => details['isOwnDecision'] === true);
  expect([entries.length, own.length]).toEqual([2, 1]);
});
