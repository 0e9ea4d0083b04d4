import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openCase } from '#src/db/review-cases.ts';
import { fileId } from '#src/domain/ids.ts';
import { startApp, type TestApp } from '#test/support/app.ts';
import { waitingPhotos } from '#test/support/waiting-photos.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ worker: false });
});
afterAll(() => app.close());
/** Each test has the queue to itself. */
beforeEach(async () => {
  await app.db
    .updateTable('review_cases')
    .set({ outcome: 'withdrawn', closed_at: new Date() })
    .where('closed_at', 'is', null)
    .execute();
});

const moderator = (name: string) => ({ userId: name, roles: ['moderator'] }) as const;
const ids = (photos: readonly { photo: { id: string } }[]) => photos.map(({ photo }) => photo.id);
const reject = (who: string, id: string) =>
  app.review.decide(moderator(who), fileId(id), { decision: 'reject', reasonCode: 'bad_quality' });
const lapse = () =>
  app.db
    .updateTable('review_cases')
    .set({ claimed_until: sql<Date>`now() - interval '1 second'` })
    .where('claimed_until', 'is not', null)
    .execute();

describe('ten moderators and 200 photos', () => {
  test('each photo is decided once, and none was before two of them', async () => {
    const waiting = await waitingPhotos(app.db, 200);
    const seen = new Map<string, Set<string>>();
    const work = async (name: string) => {
      for (;;) {
        const { photos } = await app.review.claim(moderator(name), { count: 5 });
        if (photos.length === 0) return;
        for (const id of ids(photos)) seen.set(id, (seen.get(id) ?? new Set()).add(name));
        for (const id of ids(photos)) await reject(name, id);
      }
    };
    await Promise.all(Array.from({ length: 10 }, (_, index) => work(`moderator-${index}`)));
    expect([...seen.keys()].toSorted()).toEqual(waiting.toSorted());
    expect([...seen.values()].filter((names) => names.size > 1)).toEqual([]);
    const decisions = await app.db.selectFrom('review_decisions').select('file_id').execute();
    expect(decisions.map((decision) => decision.file_id).toSorted()).toEqual(waiting.toSorted());
    expect(new Set([...seen.values()].flatMap((names) => [...names])).size).toBe(10);
  }, 60_000);
});

describe('a claim', () => {
  test('gives the most urgent first, then the longest waiting, and the same again to whoever asks again', async () => {
    const [first, second, urgent] = await waitingPhotos(app.db, 3);
    await openCase(app.db, urgent ?? '', { source: 'report', priority: 9 });
    const claimed = await app.review.claim(moderator('one'), { count: 2 });
    expect(ids(claimed.photos)).toEqual([urgent, first]);
    expect(ids((await app.review.claim(moderator('one'), { count: 2 })).photos)).toEqual([urgent, first]);
    const more = await app.review.claim(moderator('one'), { count: 2, except: [urgent ?? '', first ?? ''] });
    expect(ids(more.photos)).toEqual([second]);
    expect(ids((await app.review.claim(moderator('two'), { count: 9 })).photos)).toEqual([]);
  });

  test('keeps everybody else from deciding, until it lapses', async () => {
    const [id = ''] = await waitingPhotos(app.db, 1);
    await app.review.claim(moderator('one'), { count: 1 });
    await expect(reject('two', id)).rejects.toMatchObject({ code: 'CLAIMED' });
    expect(await app.review.claim(moderator('two'), { ids: [id] })).toMatchObject({
      claimed: [],
      missed: [{ id, code: 'CLAIMED' }],
    });
    const { photos } = await app.review.listReview(moderator('two'), { limit: 10 });
    expect(photos).toMatchObject([{ photo: { id }, claim: { isYours: false } }]);
    await lapse();
    expect(ids((await app.review.claim(moderator('two'), { count: 1 })).photos)).toEqual([id]);
    await expect(reject('one', id)).rejects.toMatchObject({ code: 'CLAIMED' });
    expect((await reject('two', id)).state).toBe('rejected');
  });

  test('is renewed by its owner, and told about when it was lost', async () => {
    const [id = '', gone = ''] = await waitingPhotos(app.db, 2);
    await app.review.claim(moderator('one'), { count: 2 });
    await lapse();
    expect(await app.review.claim(moderator('one'), { ids: [id, gone] })).toMatchObject({ missed: [] });
    await reject('one', gone);
    const again = await app.review.claim(moderator('one'), { ids: [id, gone] });
    expect(again).toMatchObject({ claimed: [id], missed: [{ id: gone, code: 'ALREADY_DECIDED' }] });
    await app.review.release(moderator('one'));
    expect(ids((await app.review.claim(moderator('two'), { count: 5 })).photos)).toEqual([id]);
  });

  test('is for staff', async () => {
    const seller = { userId: 'seller-1', roles: ['seller'] } as const;
    await expect(app.review.claim(seller, { count: 1 })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(app.review.release(seller)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const request = { decision: 'approve' } as const;
    await expect(app.review.decideMany(seller, [], request)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});
