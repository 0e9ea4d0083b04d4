import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import type { Principal } from '#src/domain/access.ts';
import { type FileId, fileId, userId } from '#src/domain/ids.ts';
import { sweep } from '#src/jobs/sweep.ts';
import type { Moderator, ModerationResult } from '#src/ports/moderator.ts';
import {
  expectDense,
  expectNoOrphans,
  distinctPhoto,
  MODERATOR,
  newItem,
  newSeller,
  OTHER_SELLER,
  SELLER,
  SERVICE,
  startApp,
  storedKeys,
  type TestApp,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';
import { reviewQueue } from './reviews-queue.ts';

let app: TestApp;
/** What the moderator says of the photos to come. */
let verdict: ModerationResult['verdict'] = 'review';
const ADMIN = { userId: 'admin-1', roles: ['admin'] } as const;
const ASYNC = { waitMs: 0 };
const WAIT = { waitMs: 15_000 };

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

async function uploaded(wanted: ModerationResult['verdict'], who = SELLER): Promise<FileId> {
  verdict = wanted;
  const item = await newItem(app, who);
  const { photo } = await app.files.uploadItemPhoto(who, item, await distinctPhoto(), ASYNC);
  const final = { review: 'in_review', publish: 'ready', reject: 'rejected' } as const;
  await untilState(app, photo.id, final[wanted]);
  await untilDelivered(app);
  return fileId(photo.id);
}

function decide(id: FileId, decision: 'approve' | 'reject' | 'takedown', who: Principal = MODERATOR) {
  return app.review.decide(who, id, { decision, reason: 'Because.' });
}

const keysOf = async (id: string) => (await storedKeys(app)).filter((key) => key.includes(id));
const places = (keys: readonly string[]) =>
  keys.map((key) => key.split('/').slice(0, 2).join('/')).toSorted();

describe('a photo in doubt', () => {
  test('lies in quarantine only, seen by its owner and staff through signed addresses', async () => {
    const id = await uploaded('review');
    expect(places(await keysOf(id))).toEqual(['quarantine/raw', 'quarantine/view']);
    await expect(app.files.getPhoto(OTHER_SELLER, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const photo = await app.files.getPhoto(SELLER, id);
    expect(photo).toMatchObject({ state: 'in_review', position: 0, variants: {} });
    const request = { variant: 'original', format: null, expiresIn: 60 } as const;
    for (const who of [SELLER, MODERATOR])
      expect((await app.files.getPhotoUrl(who, id, request)).url).toContain('/quarantine/view/');
    await expect(app.files.getPhotoUrl(SERVICE, id, request)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const audited = await app.db.selectFrom('audit.entries').selectAll().where('file_id', '=', id).execute();
    expect(audited.map((entry) => [entry.user_id, entry.action])).toEqual([
      [SELLER.userId, 'photo.view'],
      [MODERATOR.userId, 'photo.view'],
    ]);
  });

  test('approved becomes ready, its quarantine is emptied', async () => {
    const id = await uploaded('review');
    expect((await decide(id, 'approve')).state).toBe('published');
    await untilState(app, id, 'ready');
    await expectNoOrphans(app);
    const found = places(await keysOf(id));
    expect(found).toHaveLength(7);
    expect(found.every((place) => place.startsWith('items/'))).toBe(true);
    expect((await app.files.getPhoto(null, id)).reason).toBeNull();
  });

  test('approved has its tries back, so that one hiccup while renditions are made does not fail it', async () => {
    const id = await uploaded('review');
    await app.db.updateTable('files').set({ attempts: 10 }).where('id', '=', id).execute();
    await decide(id, 'approve');
    expect((await untilState(app, id, 'ready')).attempts).toBeLessThan(10);
  });

  test('rejected keeps what an appeal needs, and gives up its place', async () => {
    const id = await uploaded('review');
    expect(await decide(id, 'reject')).toMatchObject({
      state: 'rejected',
      position: null,
      reason: { code: 'CONTENT_REJECTED', message: 'Because.' },
    });
    expect(places(await keysOf(id))).toEqual(['quarantine/raw', 'quarantine/view']);
    await expect(decide(id, 'approve')).rejects.toMatchObject({ code: 'ALREADY_DECIDED' });
    await expectNoOrphans(app);
  });

  test('deleted while it waits is gone, and nobody can approve it', async () => {
    const id = await uploaded('review');
    await app.files.deletePhoto(SELLER, id);
    await untilState(app, id, 'deleted');
    expect(await keysOf(id)).toEqual([]);
    await expect(decide(id, 'approve')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('only staff decide', async () => {
    const id = await uploaded('review');
    await expect(decide(id, 'approve', SELLER)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(decide(id, 'approve', OTHER_SELLER)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(app.review.listReview(SELLER, { limit: 10 })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('two people at once', () => {
  test.each([
    ['approve', 'approve'],
    ['approve', 'reject'],
    ['reject', 'reject'],
  ] as const)('%s and %s: one wins, the other hears ALREADY_DECIDED', async (one, other) => {
    for (let round = 0; round < 3; round += 1) {
      const id = await uploaded('review');
      const results = await Promise.allSettled([decide(id, one), decide(id, other, ADMIN)]);
      const lost = results.filter((result) => result.status === 'rejected');
      expect(lost.map((result) => result.reason.code)).toEqual(['ALREADY_DECIDED']);
      const decisions = await app.db
        .selectFrom('review_decisions')
        .select('decision')
        .where('file_id', '=', id)
        .execute();
      expect(decisions).toHaveLength(1);
      const file = await untilState(app, id, 'ready', 'rejected');
      expect(file.state).toBe(decisions[0]?.decision === 'approve' ? 'ready' : 'rejected');
      await expectNoOrphans(app);
      const isPublic = (await keysOf(id)).some((key) => key.startsWith('items/'));
      expect(isPublic).toBe(file.state === 'ready');
    }
  });

  test('two take-downs, and a take-down against a deletion', async () => {
    const twice = await uploaded('publish');
    const results = await Promise.allSettled([decide(twice, 'takedown'), decide(twice, 'takedown')]);
    expect(results.map((result) => result.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const deleted = await uploaded('publish');
    await Promise.allSettled([decide(deleted, 'takedown'), app.files.deletePhoto(SELLER, deleted)]);
    const file = await untilState(app, deleted, 'deleted', 'taken_down');
    await expectNoOrphans(app);
    expect(places(await keysOf(deleted))).toEqual(file.state === 'deleted' ? [] : ['quarantine/view']);
  });
});

describe('taken down', () => {
  test('nothing stays public, a view stays for the appeal, and an approved appeal publishes again', async () => {
    const id = await uploaded('publish');
    const before = await keysOf(id);
    expect((await decide(id, 'takedown')).state).toBe('taken_down');
    await untilDelivered(app);
    expect(places(await keysOf(id))).toEqual(['quarantine/view']);
    await expect(decide(id, 'takedown')).rejects.toMatchObject({ code: 'ALREADY_DECIDED' });

    await expect(app.files.appeal(MODERATOR, id, 'Please')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const appealed = await app.files.appeal(SELLER, id, 'It is a lamp.');
    expect(appealed).toMatchObject({ state: 'in_review', position: 0 });
    await expect(app.files.appeal(SELLER, id, 'Again')).rejects.toMatchObject({ code: 'CONFLICT' });
    const { photos } = await app.review.listReview(ADMIN, { limit: 100 });
    expect(photos.find((entry) => entry.photo.id === id)).toMatchObject({ appeal: 'It is a lamp.' });

    await decide(id, 'approve', ADMIN);
    await untilState(app, id, 'ready');
    await expectNoOrphans(app);
    const after = await keysOf(id);
    expect(after).toHaveLength(7);
    const isRendition = (key: string) => !key.startsWith('items/original/');
    expect(
      after.filter(isRendition).filter((key) => before.includes(key)),
      'renditions made from other pixels under keys that had a content before',
    ).toEqual([]);
  });

  test('while renditions are being made, none of them appears', async () => {
    verdict = 'publish';
    const item = await newItem(app);
    const { photo } = await app.files.uploadItemPhoto(SELLER, item, await distinctPhoto(), WAIT);
    const id = fileId(photo.id);
    await decide(id, 'takedown');
    await expectNoOrphans(app);
    await untilState(app, id, 'taken_down');
    // The late worker takes away what it was writing.
    await expect.poll(async () => places(await keysOf(id)), { timeout: 10_000 }).toEqual(['quarantine/view']);
    await expectNoOrphans(app);
    await expectDense(app, item);
  });

  test('an old generation that comes late changes nothing', async () => {
    const id = await uploaded('publish');
    await decide(id, 'takedown');
    const { ingest } = await import('#src/jobs/ingest/ingest.ts');
    await ingest(
      app.jobs,
      { fileId: id, generation: 1 },
      {
        id: 'late',
        attempt: 1,
        isLastAttempt: false,
        isExhausted: false,
        signal: new AbortController().signal,
      },
    );
    expect(await findFile(app.db, id)).toMatchObject({ state: 'taken_down', generation: 2 });
  });
});

describe('refused by the moderator', () => {
  test('for its content: the uploader is told, and may appeal', async () => {
    verdict = 'reject';
    const who = newSeller();
    const item = await newItem(app, who);
    await expect(app.files.uploadItemPhoto(who, item, await distinctPhoto(), WAIT)).rejects.toMatchObject({
      code: 'CONTENT_REJECTED',
    });
    const [row] = await app.db.selectFrom('files').selectAll().where('owner_id', '=', who.userId).execute();
    const id = fileId(row?.id ?? '');
    await expectNoOrphans(app);
    expect(places(await keysOf(id))).toEqual(['quarantine/raw', 'quarantine/view']);
    await app.files.appeal(who, id, 'It is art.');
    await decide(id, 'approve');
    await untilState(app, id, 'ready');
    await expectNoOrphans(app);
  });
});

describe('a profile photo in review', () => {
  test('approved after its successor was published leaves at once', async () => {
    const who = newSeller();
    const user = userId(who.userId);
    verdict = 'review';
    const first = await app.files.uploadProfilePhoto(who, user, await distinctPhoto(), WAIT);
    verdict = 'publish';
    const second = await app.files.uploadProfilePhoto(who, user, await distinctPhoto(), WAIT);
    await untilState(app, second.photo.id, 'ready');
    await expect(decide(fileId(first.photo.id), 'approve')).rejects.toMatchObject({
      code: 'ALREADY_DECIDED',
    });
    await untilState(app, first.photo.id, 'deleted');
    expect((await app.files.getProfilePhoto(null, user)).id).toBe(second.photo.id);
    expect(await keysOf(first.photo.id)).toEqual([]);
    await sweep(app.jobs);
    await expectNoOrphans(app);
  });
});

reviewQueue(() => app, { uploaded, decide });
