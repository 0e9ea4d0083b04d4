import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listFindings } from '#src/db/review-cases.ts';
import type { Principal } from '#src/domain/access.ts';
import { fileId } from '#src/domain/ids.ts';
import type { ReasonCode } from '#src/domain/review-reasons.ts';
import { type Alteration, photoToUpload } from '#test/support/altered-photos.ts';
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
// Banned pictures are refused also where copies between sellers are nobody's concern.
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

async function settled(who: Principal, name: string, alteration?: Alteration) {
  const file = await photoToUpload(name, alteration);
  const { photo } = await app.files.uploadItemPhoto(who, await newItem(app, who), file, { waitMs: 0 });
  return untilState(app, photo.id, 'ready', 'in_review', 'rejected');
}

async function takenDown(name: string, reasonCode: ReasonCode) {
  const seller = newSeller();
  const file = await settled(seller, name);
  expect(file.state).toBe('ready');
  await app.review.decide(MODERATOR, fileId(file.id), {
    decision: 'takedown',
    reasonCode,
    reason: 'See there.',
  });
  return { seller, id: fileId(file.id) };
}

const banned = async () => (await app.copies.listBanned(MODERATOR, { limit: 100 })).pictures;

describe('a picture that was taken down for what it shows', () => {
  test('is refused to everybody, altered too', async () => {
    const { seller, id } = await takenDown('mountains.jpg', 'weapon');
    for (const [who, alteration] of [
      [seller, 'half the size'],
      [newSeller(), 'mirrored and cropped by 10 %'],
    ] as const)
      expect(await settled(who, 'mountains.jpg', alteration)).toMatchObject({
        state: 'rejected',
        reason_code: 'BANNED_IMAGE',
      });
    const [entry] = (await banned()).filter(({ fileId: of }) => of === id);
    expect(entry).toMatchObject({ reasonCode: 'weapon', bannedBy: MODERATOR.userId });
  });

  test('comes back when an admin says so, and both acts are written down', async () => {
    const { id } = await takenDown('autumn-hill.jpg', 'weapon');
    const [entry] = (await banned()).filter(({ fileId: of }) => of === id);
    await expect(app.copies.unban(MODERATOR, entry?.id ?? 0)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await app.copies.unban(ADMIN, entry?.id ?? 0);
    expect((await settled(newSeller(), 'autumn-hill.jpg')).state).toBe('ready');
    const acts = await app.db
      .selectFrom('audit.entries')
      .select('action')
      .where('file_id', '=', id)
      .execute();
    expect(acts.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['picture.ban', 'picture.unban']),
    );
  });

  test('is refused at the upload itself with 422 BANNED_IMAGE', async () => {
    await takenDown('dogs.jpg', 'drugs');
    const who = newSeller();
    const upload = app.files.uploadItemPhoto(who, await newItem(app, who), await photoToUpload('dogs.jpg'), {
      waitMs: 15_000,
    });
    await expect(upload).rejects.toMatchObject({ code: 'BANNED_IMAGE' });
  });

  test('goes to a moderator when it is nearly that picture', async () => {
    const { id } = await takenDown('stream.jpg', 'violence');
    const near = await settled(newSeller(), 'stream.jpg', 'a quarter covered');
    expect(near.state).toBe('in_review');
    const findings = (await listFindings(app.db, [near.id])).get(near.id) ?? [];
    const [entry] = (await banned()).filter(({ fileId: of }) => of === id);
    expect(findings.filter(({ label }) => label === 'banned_picture')).toMatchObject([
      { source: 'fingerprint', details: { bannedId: entry?.id } },
    ]);
  });

  test('may come back when the appeal against the take-down is upheld', async () => {
    const { seller, id } = await takenDown('sunset.jpg', 'hate');
    await app.files.appeal(seller, id, 'It is a sunset.');
    expect((await banned()).map(({ fileId: of }) => of)).toContain(id);
    await app.review.decide(ADMIN, id, { decision: 'approve', reason: 'Indeed.' });
    expect((await banned()).map(({ fileId: of }) => of)).not.toContain(id);
    expect((await settled(newSeller(), 'sunset.jpg', 'mirrored')).state).toBe('ready');
  });

  test.each([
    ['the second look', 'lake.jpg', 'takedown'],
    ['the answer to an appeal', 'dandelion.jpg', 'reject'],
  ] as const)('may come back once %s gives a reason that bans nothing', async (_, name, decision) => {
    const { seller, id } = await takenDown(name, 'violence');
    expect((await banned()).map(({ fileId: of }) => of)).toContain(id);
    if (decision === 'reject') await app.files.appeal(seller, id, 'It is a picture.');
    await app.review.decide(ADMIN, id, { decision, reasonCode: 'private_data' });
    expect((await banned()).map(({ fileId: of }) => of)).not.toContain(id);
    expect((await settled(newSeller(), name)).state).toBe('ready');
    const acts = await app.db
      .selectFrom('audit.entries')
      .select(['action', 'user_id', 'details'])
      .where('file_id', '=', id)
      .where('action', '=', 'picture.unban')
      .execute();
    expect(acts).toMatchObject([{ user_id: ADMIN.userId, details: { reasonCode: 'violence' } }]);
  });

  test('stays banned when the second look confirms it in words alone', async () => {
    const { id } = await takenDown('slings.webp', 'weapon');
    await app.review.decide(ADMIN, id, { decision: 'takedown', reason: 'Indeed.' });
    expect((await settled(newSeller(), 'slings.webp')).reason_code).toBe('BANNED_IMAGE');
  });

  test('may come back when its photo is deleted before anybody has looked again', async () => {
    const { seller, id } = await takenDown('lumia-820-starfish.jpg', 'weapon');
    const before = (await banned()).find(({ fileId: of }) => of === id);
    expect(before).toBeDefined();
    await app.files.deletePhoto(seller, id);
    expect((await banned()).map((entry) => entry.id)).not.toContain(before?.id);
    expect((await settled(newSeller(), 'lumia-820-starfish.jpg')).state).toBe('ready');
  });

  test('stays banned when its photo is deleted after the second look, and names neither photo nor owner any more', async () => {
    const { seller, id } = await takenDown('nuthatch.jpg', 'weapon');
    await app.review.decide(ADMIN, id, { decision: 'takedown', reasonCode: 'weapon' });
    const before = (await banned()).find(({ fileId: of }) => of === id);
    await app.files.deletePhoto(seller, id);
    await until('the photo to be forgotten', async () =>
      (await banned()).some(({ fileId: of }) => of === id) ? null : true,
    );
    const after = (await banned()).find((entry) => entry.id === before?.id);
    expect(after).toMatchObject({ fileId: null });
    expect(JSON.stringify(after)).not.toContain(seller.userId);
    expect((await settled(newSeller(), 'nuthatch.jpg')).reason_code).toBe('BANNED_IMAGE');
  });
});

describe('a picture that was taken down for another reason', () => {
  test.each(['stolen_photo', 'private_data', 'not_the_item'] as const)(
    '%s, is banned to nobody',
    async (reason) => {
      await takenDown('waterfall.jpg', reason);
      expect((await settled(newSeller(), 'waterfall.jpg')).state).toBe('ready');
    },
  );
});
