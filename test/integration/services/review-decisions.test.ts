import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCase } from '#src/db/review-cases.ts';
import type { Principal } from '#src/domain/access.ts';
import { type FileId, fileId } from '#src/domain/ids.ts';
import type { Moderator, ModerationResult } from '#src/ports/moderator.ts';
import type { Decision } from '#src/services/review/contracts.ts';
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

let app: TestApp;
let verdict: ModerationResult['verdict'] = 'publish';
beforeAll(async () => {
  app = await startApp({ jobs: ({ moderator }) => ({ moderator: saying(moderator) }) });
});
afterAll(() => app.close());

/** The real moderator, whose verdict is set by the test. */
function saying(moderator: Moderator): Moderator {
  return {
    ...moderator,
    moderate: async (photo, signal) => ({ ...(await moderator.moderate(photo, signal)), verdict }),
  };
}

async function uploaded(
  wanted: 'review' | 'publish',
  who: Principal = SELLER,
): Promise<{ id: FileId; item: string }> {
  verdict = wanted;
  const item = await newItem(app, who);
  const { photo } = await app.files.uploadItemPhoto(who, item, await distinctPhoto(), { waitMs: 0 });
  await untilState(app, photo.id, wanted === 'review' ? 'in_review' : 'ready');
  return { id: fileId(photo.id), item };
}

const ONE = { userId: 'moderator-one', roles: ['moderator'] } as const;
const TWO = { userId: 'moderator-two', roles: ['moderator'] } as const;
const decide = (who: Principal, id: FileId, decision: Decision) => app.review.decide(who, id, decision);
const publicKeys = async (id: string) =>
  (await storedKeys(app)).filter((key) => key.startsWith('items/') && key.includes(id));
const queueOf = async (who: Principal) =>
  (await app.review.listReview(who, { limit: 100 })).photos.map(({ photo, source }) => [photo.id, source]);

describe('a reason', () => {
  test('of the list is read by the seller in plain words, with its code and what the moderator adds', async () => {
    const { id } = await uploaded('review');
    const refused = await decide(ONE, id, {
      decision: 'reject',
      reasonCode: 'bad_quality',
      reason: 'Only the corner is sharp.',
    });
    expect(refused.reason).toEqual({
      code: 'CONTENT_REJECTED',
      reasonCode: 'bad_quality',
      message:
        'The photo is too dark, blurred or small to see the thing. Take another one in good light. The moderator adds: Only the corner is sharp.',
    });
    expect((await app.files.getPhoto(SELLER, id)).reason).toEqual(refused.reason);
  });

  test('is asked for where photos are refused, and in words where the code alone says too little', async () => {
    const { id } = await uploaded('review');
    for (const decision of [{ decision: 'reject' }, { decision: 'reject', reasonCode: 'other' }] as const)
      await expect(decide(ONE, id, decision)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    expect((await decide(ONE, id, { decision: 'approve' })).state).toBe('published');
  });
});

describe('a moderator who sells', () => {
  test('gets none of their own photos, and decides on none of them, appealed or not', async () => {
    const seller = { userId: 'moderator-who-sells', roles: ['seller', 'moderator'] } as const;
    const { id } = await uploaded('review', seller);
    const refuse = { decision: 'reject', reasonCode: 'bad_quality' } as const;
    const expectNotTheirs = async () => {
      for (const decision of [{ decision: 'approve' }, refuse] as const)
        await expect(decide(seller, id, decision)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      expect(await queueOf(seller)).not.toContainEqual([id, expect.any(String)]);
      expect((await app.review.claim(seller, { ids: [id] })).claimed).toEqual([]);
    };
    await expectNotTheirs();
    await decide(ONE, id, refuse);
    await app.files.appeal(seller, id, 'It is sharp.');
    await expectNotTheirs();
    expect((await app.review.claim(TWO, { ids: [id] })).claimed).toEqual([id]);
    await app.review.release(TWO);
  });
});

describe('a take-down', () => {
  test('hides at once and is looked at again by another moderator, who confirms', async () => {
    const { id } = await uploaded('publish');
    await decide(ONE, id, { decision: 'takedown', reasonCode: 'not_the_item' });
    await untilDelivered(app);
    expect(await publicKeys(id)).toEqual([]);
    expect(await queueOf(TWO)).toContainEqual([id, 'second_look']);
    expect(await queueOf(ONE)).not.toContainEqual([id, 'second_look']);
    for (const decision of ['approve', 'takedown'] as const)
      await expect(decide(ONE, id, { decision, reason: 'Mine.' })).rejects.toMatchObject({
        code: 'ALREADY_DECIDED',
      });
    const confirmed = await decide(TWO, id, { decision: 'takedown', reasonCode: 'not_the_item' });
    expect(confirmed.state).toBe('taken_down');
    expect(await queueOf(TWO)).not.toContainEqual([id, 'second_look']);
    await expect(decide(TWO, id, { decision: 'approve' })).rejects.toMatchObject({ code: 'ALREADY_DECIDED' });
  });

  test('overturned brings the photo back as it was before', async () => {
    const { id, item } = await uploaded('publish');
    await decide(ONE, id, { decision: 'takedown', reason: 'No.' });
    const claimed = await app.review.claim(TWO, { ids: [id] });
    expect(claimed.claimed).toEqual([id]);
    const back = await decide(TWO, id, { decision: 'approve', reason: 'It is a toy.' });
    expect(back).toMatchObject({ state: 'published', position: 0, reason: null });
    await untilState(app, id, 'ready');
    await expectNoOrphans(app);
    await expectDense(app, item);
    expect(await publicKeys(id)).toHaveLength(7);
    expect(await queueOf(TWO)).not.toContainEqual([id, expect.any(String)]);
  });

  test('of a photo that was changed behind our back keeps none of those bytes to be looked at', async () => {
    const { id } = await uploaded('publish');
    const key = (await publicKeys(id)).find((each) => each.startsWith('items/original/')) ?? '';
    await app.storage.uploadFile((await distinctPhoto()).body, { key, contentType: 'image/jpeg' });
    expect((await decide(ONE, id, { decision: 'takedown', reason: 'No.' })).state).toBe('taken_down');
    await untilDelivered(app);
    expect((await storedKeys(app)).filter((each) => each.includes(id))).toEqual([]);
    expect(await queueOf(TWO)).not.toContainEqual([id, expect.any(String)]);
    await expectNoOrphans(app);
  });

  test('appealed before its second look is one case, an appeal', async () => {
    const { id } = await uploaded('publish');
    await decide(ONE, id, { decision: 'takedown', reason: 'No.' });
    await app.files.appeal(SELLER, id, 'It is a toy.');
    expect(await queueOf(TWO)).toContainEqual([id, 'appeal']);
    await expect(decide(ONE, id, { decision: 'approve' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect((await decide(TWO, id, { decision: 'approve' })).state).toBe('published');
  });
});

describe('an appeal', () => {
  test('is for somebody who has not decided against the seller yet, be it the first time or the second', async () => {
    const { id } = await uploaded('publish');
    const three = { userId: 'moderator-three', roles: ['moderator'] } as const;
    await decide(three, (await uploaded('review')).id, { decision: 'approve' });
    await decide(ONE, id, { decision: 'takedown', reason: 'No.' });
    await app.files.appeal(SELLER, id, 'It is a toy.');
    await decide(TWO, id, { decision: 'reject', reason: 'It is not.' });
    await app.files.appeal(SELLER, id, 'It is.');
    for (const who of [ONE, TWO]) {
      expect(await queueOf(who)).not.toContainEqual([id, 'appeal']);
      await expect(decide(who, id, { decision: 'approve' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    expect(await queueOf(three)).toContainEqual([id, 'appeal']);
    expect((await decide(three, id, { decision: 'approve' })).state).toBe('published');
  });
});

describe('a public photo in the queue', () => {
  test('stays public while it waits and when it is approved', async () => {
    const { id } = await uploaded('publish');
    await expect(decide(ONE, id, { decision: 'approve' })).rejects.toMatchObject({ code: 'ALREADY_DECIDED' });
    await openCase(app.db, id, { source: 'contact', priority: 0 });
    const before = await publicKeys(id);
    expect((await decide(ONE, id, { decision: 'approve' })).state).toBe('ready');
    expect(await publicKeys(id)).toEqual(before);
    expect(await queueOf(ONE)).not.toContainEqual([id, 'contact']);
  });
});

describe('a refusal that does not fit where the photo is', () => {
  test('settles nothing, and says which one fits', async () => {
    const shown = await uploaded('publish');
    const waiting = await uploaded('review');
    const wrong = (id: FileId, decision: 'reject' | 'takedown') =>
      decide(ONE, id, { decision, reason: 'No.' });
    const refused = (fitting: string) => ({
      code: 'ILLEGAL_TRANSITION',
      message: expect.stringContaining(`decide \`${fitting}\``),
    });
    await expect(wrong(shown.id, 'reject')).rejects.toMatchObject(refused('takedown'));
    await openCase(app.db, shown.id, { source: 'contact', priority: 0 });
    await expect(wrong(shown.id, 'reject')).rejects.toMatchObject(refused('takedown'));
    expect(await queueOf(ONE)).toContainEqual([shown.id, 'contact']);
    await expect(wrong(waiting.id, 'takedown')).rejects.toMatchObject(refused('reject'));
    await decide(TWO, shown.id, { decision: 'takedown', reason: 'No.' });
    await expect(wrong(shown.id, 'reject')).rejects.toMatchObject(refused('takedown'));
    await decide(ONE, shown.id, { decision: 'approve' });
    await expect(wrong(shown.id, 'reject')).rejects.toMatchObject({ code: 'ALREADY_DECIDED' });
  });
});

describe('many at once', () => {
  test('are decided each by itself, and each outcome is told', async () => {
    const [one, two, decided, shown] = [
      await uploaded('review'),
      await uploaded('review'),
      await uploaded('review'),
      await uploaded('publish'),
    ];
    await decide(TWO, decided.id, { decision: 'approve' });
    const claimedByOther = await uploaded('review');
    await app.review.claim(TWO, { ids: [claimedByOther.id] });
    const missing = fileId('019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11');
    const ids = [one.id, decided.id, missing, two.id, one.id, claimedByOther.id, shown.id];
    const outcomes = await app.review.decideMany(ONE, ids, {
      decision: 'reject',
      reasonCode: 'not_the_item',
    });
    expect(outcomes).toMatchObject([
      { id: one.id, ok: true, state: 'rejected' },
      { id: decided.id, ok: false, code: 'ALREADY_DECIDED' },
      { id: missing, ok: false, code: 'NOT_FOUND' },
      { id: two.id, ok: true, state: 'rejected' },
      { id: claimedByOther.id, ok: false, code: 'CLAIMED' },
      { id: shown.id, ok: false, code: 'ILLEGAL_TRANSITION' },
    ]);
    expect((await app.files.getPhoto(SELLER, claimedByOther.id)).state).toBe('in_review');
  });
});
