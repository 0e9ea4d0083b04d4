import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keepProbe, listProbes } from '#src/db/cdn-probes.ts';
import { placeHold } from '#src/db/holds.ts';
import { openCaseOf } from '#src/db/review-cases.ts';
import { HIDE_AFTER_REPORTERS, REPORTS_AN_HOUR } from '#src/domain/report-policy.ts';
import { type FileId, fileId, userId } from '#src/domain/ids.ts';
import { sellerMessage } from '#src/domain/review-reasons.ts';
import type { PhotoHistory } from '#src/services/review/contracts.ts';
import {
  ADMIN,
  distinctPhoto,
  MODERATOR,
  newItem,
  newSeller,
  SELLER,
  SERVICE,
  startApp,
  storedKeys,
  type TestApp,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const buyer = (name: string) => ({ userId: name, roles: [] }) as const;
async function uploaded(who = SELLER): Promise<FileId> {
  const { photo } = await app.files.uploadItemPhoto(who, await newItem(app, who), await distinctPhoto(), {
    waitMs: 0,
  });
  await untilState(app, photo.id, 'ready');
  return fileId(photo.id);
}
const entryOf = async (id: string) =>
  (await app.review.listReview(MODERATOR, { limit: 100 })).photos.find(({ photo }) => photo.id === id);

const isTimeOrNull = (value: unknown) => value === null || typeof value === 'string';

describe('a report', () => {
  test('puts the photo into the queue once, counts people by what they name, and leaves it public', async () => {
    const id = await uploaded();
    await app.review.report(buyer('a'), id, { reasonCode: 'stolen_photo', message: 'It is mine.' });
    await app.review.report(buyer('a'), id, { reasonCode: 'sexual_content' });
    for (const name of ['b', 'c', 'd', 'e'])
      await app.review.report(buyer(name), id, { reasonCode: 'stolen_photo' });
    expect(await entryOf(id)).toMatchObject({
      source: 'report',
      reports: [{ reasonCode: 'stolen_photo', count: 5 }],
      findings: expect.arrayContaining([
        expect.objectContaining({
          source: 'report',
          label: 'stolen_photo',
          details: { message: 'It is mine.' },
        }),
      ]),
    });
    expect((await app.files.getPhoto(null, id)).state).toBe('ready');
    await app.review.decide(MODERATOR, id, { decision: 'approve' });
    expect(await entryOf(id)).toBeUndefined();
    await app.review.report(buyer('f'), id, { reasonCode: 'not_the_item' });
    expect((await entryOf(id))?.reports).toEqual([{ reasonCode: 'not_the_item', count: 1 }]);
  });

  test('is for signed-in people other than the owner, of public photos, with words where they are needed', async () => {
    const id = await uploaded();
    const reasonCode = 'weapon' as const;
    for (const who of [SELLER, SERVICE])
      await expect(app.review.report(who, id, { reasonCode })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(app.review.report(buyer('a'), id, { reasonCode: 'other' })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
    await app.review.decide(MODERATOR, id, { decision: 'takedown', reasonCode: 'not_the_item' });
    await expect(app.review.report(buyer('a'), id, { reasonCode })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(JSON.stringify(await app.files.getPhoto(SELLER, id))).not.toContain('"a"');
  });

  test('is one of a limited number an hour', async () => {
    const id = await uploaded();
    const others = await Promise.all(Array.from({ length: REPORTS_AN_HOUR }, () => rowOnly()));
    for (const other of others)
      await app.db
        .insertInto('photo_reports')
        .values({ file_id: other, user_id: 'busy', reason_code: 'weapon', message: null, case_id: null })
        .execute();
    const refused = app.review.report(buyer('busy'), id, { reasonCode: 'weapon' });
    await expect(refused).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    expect(await openCaseOf(app.db, id)).toBeNull();
  });

  async function rowOnly(): Promise<string> {
    const { photo } = await app.files
      .reserveUpload(SELLER, {
        kind: 'profile_photo',
        filename: 'x.jpg',
        bytes: 100,
        type: 'image/jpeg',
      })
      .then(({ id }) => ({ photo: { id } }));
    return photo.id;
  }
});

describe('something dangerous', () => {
  test('hides the photo when as many people name it as the policy says of it, and what it never hides does not', async () => {
    const id = await uploaded();
    const report = (name: string, reasonCode: 'weapon' | 'bad_quality') =>
      app.review.report(buyer(name), id, { reasonCode });
    for (const name of ['p', 'q', 'r', 's', 't', 'u']) await report(`${name}-bad`, 'bad_quality');
    for (const name of ['p', 'q', 'r', 's']) await report(name, 'weapon');
    expect((await app.files.getPhoto(null, id)).state).toBe('ready');
    await report('t', 'weapon');
    expect((await app.files.getPhoto(SELLER, id)).state).toBe('taken_down');
    const { decisions } = await app.review.photoHistory(MODERATOR, id, PAGE);
    expect(decisions).toMatchObject([{ reasonCode: 'weapon', reason: '5 people have reported it.' }]);
    await app.review.decide(MODERATOR, id, { decision: 'approve' });
  });

  test('named by enough people hides the photo until a moderator has looked, and not again after that', async () => {
    const id = await uploaded();
    const [first, ...others] = Array.from({ length: HIDE_AFTER_REPORTERS }, (_, index) => `hider-${index}`);
    const danger = { reasonCode: 'sexual_content' } as const;
    for (const name of others) await app.review.report(buyer(name), id, danger);
    expect(await entryOf(id)).toMatchObject({ source: 'report', photo: { state: 'ready' } });
    await app.review.report(buyer(first ?? ''), id, danger);
    await untilDelivered(app);
    expect((await storedKeys(app)).filter((key) => key.startsWith('items/') && key.includes(id))).toEqual([]);
    const [top] = (await app.review.listReview(MODERATOR, { limit: 1 })).photos;
    expect(top).toMatchObject({
      photo: { id, state: 'taken_down' },
      source: 'second_look',
      reports: [{ reasonCode: 'sexual_content', count: HIDE_AFTER_REPORTERS }],
    });
    const back = await app.review.decide(MODERATOR, id, { decision: 'approve' });
    expect(back.state).toBe('published');
    await untilState(app, id, 'ready');

    for (const name of [first ?? '', ...others]) await app.review.report(buyer(name), id, danger);
    expect((await app.files.getPhoto(null, id)).state).toBe('ready');
    expect(await entryOf(id)).toBeUndefined();
    for (let more = 0; more < HIDE_AFTER_REPORTERS; more += 1)
      await app.review.report(buyer(`later-${more}`), id, danger);
    expect((await app.files.getPhoto(null, id)).state).toBe('ready');
    expect(await entryOf(id)).toMatchObject({
      source: 'report',
      reports: [{ reasonCode: 'sexual_content', count: HIDE_AFTER_REPORTERS }],
    });
  });
});

describe('a take-down by reports', () => {
  test('that a moderator confirms tells the seller what the moderator found, not what buyers named', async () => {
    const id = await uploaded();
    for (let name = 0; name < HIDE_AFTER_REPORTERS; name += 1)
      await app.review.report(buyer(`alarmed-${name}`), id, { reasonCode: 'sexual_content' });
    expect((await app.files.getPhoto(SELLER, id)).reason).toMatchObject({
      reasonCode: 'sexual_content',
      message: expect.stringMatching(/until a moderator has looked/),
    });
    const reason = 'The plate can be read.';
    await app.review.decide(MODERATOR, id, { decision: 'takedown', reasonCode: 'private_data', reason });
    expect(await app.files.getPhoto(SELLER, id)).toMatchObject({
      state: 'taken_down',
      reason: {
        code: 'CONTENT_REJECTED',
        reasonCode: 'private_data',
        message: sellerMessage('private_data', reason),
      },
    });
  });
});

describe('an appeal', () => {
  test('may be made three times a photo, and its owner sees how the last one went', async () => {
    const who = newSeller();
    const id = await uploaded(who);
    await app.review.decide(MODERATOR, id, { decision: 'takedown', reasonCode: 'not_the_item' });
    expect((await app.files.getPhoto(who, id)).appeal).toEqual({ outcome: null, left: 3 });
    for (const [judge, left] of [
      ['x', 2],
      ['y', 1],
      ['z', 0],
    ] as const) {
      expect((await app.files.appeal(who, id, 'It is a toy.')).appeal).toEqual({ outcome: 'open', left });
      const moderator = { userId: judge, roles: ['moderator'] } as const;
      const refused = await app.review.decide(moderator, id, { decision: 'reject', reasonCode: 'weapon' });
      expect(refused.appeal).toEqual({ outcome: 'refused', left });
    }
    await expect(app.files.appeal(who, id, 'Please.')).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});

/** More than most photos have. */
const PAGE = { limit: 50 };

describe('the history', () => {
  test('of a long life comes in pages, the latest first, and each thing once', async () => {
    const who = newSeller();
    const id = await uploaded(who);
    await sql`
      insert into review_decisions (file_id, moderator_id, decision, reason, decided_at)
      select ${id}, 'somebody', 'approve', n::text, now() + make_interval(secs => n / 3)
      from generate_series(1, 250) as n`.execute(app.db);
    const numbers = (decisions: readonly { reason: string }[]) =>
      decisions.map(({ reason }) => Number(reason));
    const wanted = Array.from({ length: 250 }, (_, at) => 250 - at);
    const seen: number[] = [];
    const states: string[] = [];
    let after: string | null = '';
    while (after !== null) {
      const page = { limit: 100, ...(after !== '' && { after }) };
      const history: PhotoHistory = await app.review.photoHistory(MODERATOR, id, page);
      seen.push(...numbers(history.decisions));
      states.push(...history.events.map(({ state }) => state));
      after = history.next;
    }
    expect(seen).toEqual(wanted);
    expect(states.at(0)).toBe('ready');
    expect(new Set(states).size).toBe(states.length);

    const first = await app.review.sellerModeration(MODERATOR, userId(who.userId), { limit: 200 });
    const next = { limit: 200, after: first.next ?? '' };
    const second = await app.review.sellerModeration(MODERATOR, userId(who.userId), next);
    expect(numbers([...first.last, ...second.last])).toEqual(wanted);
    expect(second.next).toBeNull();
  });

  test('tells of a legal hold to an admin, and nothing of it to a moderator', async () => {
    const id = await uploaded();
    await placeHold(app.db, { fileId: id, reason: 'Case 4711.', placedBy: ADMIN.userId });
    expect((await app.review.photoHistory(ADMIN, id, PAGE)).holds).toMatchObject([
      { reason: 'Case 4711.', placedBy: ADMIN.userId, liftedAt: null },
    ]);
    const told = await app.review.photoHistory(MODERATOR, id, PAGE);
    expect(told.holds).toEqual([]);
    expect(JSON.stringify(told)).not.toContain('4711');
  });

  test('of a photo tells who saw, said and decided what, and whether its URLs are gone', async () => {
    const who = newSeller();
    const id = await uploaded(who);
    await app.review.report(buyer('a'), id, { reasonCode: 'weapon' });
    await app.review.decide(MODERATOR, id, {
      decision: 'takedown',
      reasonCode: 'weapon',
      reason: 'A knife.',
    });
    await app.files.appeal(who, id, 'For bread.');
    await untilDelivered(app);
    expect((await app.review.photoHistory(MODERATOR, id, PAGE)).proofs).toEqual([
      { state: 'waiting', urls: expect.any(Number), probedAt: expect.toSatisfy(isTimeOrNull) },
    ]);
    const [probe] = await listProbes(app.db, id);
    await keepProbe(app.db, probe?.id ?? 0, { state: 'gone', answers: [] }, 0);
    const history = await app.review.photoHistory(MODERATOR, id, PAGE);
    expect(history).toMatchObject({
      photo: { id, state: 'in_review' },
      reports: [{ userId: 'a', reasonCode: 'weapon' }],
      decisions: [{ moderatorId: MODERATOR.userId, decision: 'takedown', reason: 'A knife.' }],
      appeals: [{ message: 'For bread.', outcome: null }],
      cases: [
        { source: 'appeal', outcome: null },
        { source: 'report', outcome: 'takedown' },
      ],
      proofs: [{ state: 'gone', probedAt: expect.any(String) }],
      holds: [],
    });
    expect(history.events.map(({ state }) => state).slice(0, 3)).toEqual([
      'in_review',
      'taken_down',
      'ready',
    ]);
    expect(await app.review.sellerModeration(MODERATOR, userId(who.userId), PAGE)).toMatchObject({
      photos: { in_review: 1 },
      decisions: { takedown: 1 },
      appeals: { made: 1, upheld: 0 },
      reports: 1,
      last: [{ fileId: id, decision: 'takedown' }],
    });
    const audited = await app.db
      .selectFrom('audit.entries')
      .select('action')
      .where('user_id', '=', MODERATOR.userId)
      .where('action', 'in', ['photo.history', 'user.moderation'])
      .execute();
    expect(new Set(audited.map(({ action }) => action))).toEqual(
      new Set(['photo.history', 'user.moderation']),
    );
    await expect(app.review.photoHistory(who, id, PAGE)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});
