import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFile, lockFileAndItem, transition } from '#src/db/files.ts';
import { destroyDocumentKey } from '#src/db/document-keys.ts';
import { condemnObjects } from '#src/db/objects.ts';
import type { Principal } from '#src/domain/access.ts';
import { type FileId, fileId, type ItemId, userId } from '#src/domain/ids.ts';
import { ingest } from '#src/jobs/ingest/ingest.ts';
import { sweep } from '#src/jobs/sweep.ts';
import type { Moderator, ModerationResult } from '#src/ports/moderator.ts';
import { end, undo } from '#src/services/removal.ts';
import { createLifecycleService } from '#src/services/lifecycle.service.ts';
import { ADMIN, ageFile, ageListing, knowViews, listingWithPhotos } from '#test/support/ageing.ts';
import {
  distinctPhoto,
  expectDense,
  expectNoOrphans,
  MODERATOR,
  newItem,
  newSeller,
  SERVICE,
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
  await knowViews(app);
}, 60_000);
afterAll(() => app.close());

const WAIT = { waitMs: 20_000 };
const LEGAL = { code: 'LEGAL_HOLD' };

function saying(moderator: Moderator): Moderator {
  return {
    ...moderator,
    moderate: async (photo, signal) => ({ ...(await moderator.moderate(photo, signal)), verdict }),
  };
}

/** The whole service, days later: rules, sweep, outbox. */
async function everythingRuns(days = 4_000): Promise<void> {
  const clock = { now: () => new Date(Date.now() + days * 86_400_000) };
  const later = createLifecycleService({
    ...app.jobs,
    clock,
    viewsComeFrom: 'edge',
    capabilities: app.store.capabilities,
    sweepIncomplete: (ms) => app.store.sweepIncomplete(ms),
  });
  await later.carryOut();
  await sweep({ ...app.jobs, clock });
  await untilDelivered(app);
}

const keysOf = async (id: string) => (await storedKeys(app)).filter((key) => key.includes(id));
const bytesAt = async (key: string) => buffer((await app.storage.downloadFile(key)).body);
const originalKey = async (id: string) =>
  (
    await app.db
      .selectFrom('variants')
      .select('key')
      .where('file_id', '=', id)
      .where('name', '=', 'original')
      .executeTakeFirstOrThrow()
  ).key;

interface Held {
  readonly seller: Principal;
  readonly item: ItemId;
  readonly id: FileId;
  readonly key: string;
  readonly bytes: Buffer;
}

async function heldPhoto(): Promise<Held> {
  const { seller, item, photos } = await listingWithPhotos(app);
  const id = fileId(photos[0] ?? '');
  await app.lifecycle.setHold(ADMIN, id, 'Case 4711');
  const key = await originalKey(id);
  return { seller, item, id, key, bytes: await bytesAt(key) };
}

async function expectKept({ key, bytes }: Held): Promise<void> {
  await everythingRuns();
  expect((await bytesAt(key)).equals(bytes)).toBe(true);
}

describe('a held photo stays, byte for byte, when', () => {
  test.each<[string, (held: Held) => Promise<unknown>]>([
    ['its owner deletes it', ({ seller, id }) => app.files.deletePhoto(seller, id)],
    ['an admin deletes it', ({ id }) => app.files.deletePhoto(ADMIN, id)],
    ['LocalEx’s backend deletes it', ({ id }) => app.files.deletePhoto(SERVICE, id)],
    ['all photos of its listing are deleted', ({ seller, item }) => app.files.deleteItemPhotos(seller, item)],
    ['its listing is deleted', ({ seller, item }) => app.items.deleteItem(seller, item)],
    [
      'the row is made to leave by SQL',
      ({ id }) => transition(app.db, { id, from: 'ready' }, 'deleting').then(() => undefined),
    ],
    [
      'its objects are condemned by SQL',
      ({ key }) => sql`update objects set state = 'deleting' where key = ${key}`.execute(app.db),
    ],
    [
      'the rows of its objects are removed by SQL',
      ({ id }) => sql`delete from objects where file_id = ${id}`.execute(app.db),
    ],
    ['somebody condemns its original', ({ key }) => condemnObjects(app.db, [key])],
  ])('%s: refused with LEGAL_HOLD', async (_what, remove) => {
    const held = await heldPhoto();
    await expect(remove(held)).rejects.toMatchObject(LEGAL);
    await expectKept(held);
    expect((await findFile(app.db, held.id))?.state).toBe('ready');
    await expectDense(app, held.item);
  });

  test('a delete of its listing is refused as a whole: the others stay too', async () => {
    const { seller, item, photos } = await listingWithPhotos(app, 3);
    await app.lifecycle.setHold(ADMIN, fileId(photos[1] ?? ''), 'Case 4711');
    await expect(app.items.deleteItem(seller, item)).rejects.toMatchObject(LEGAL);
    expect((await app.files.getItemPhotos(null, item)).photos).toHaveLength(3);
    await app.lifecycle.releaseHold(ADMIN, fileId(photos[1] ?? ''));
    await app.items.deleteItem(seller, item);
    for (const id of photos) await untilState(app, id, 'deleted');
  });

  test('late work is undone, rules of retention, sweep and unused objects come by', async () => {
    const held = await heldPhoto();
    await ageListing(app, held.item, 3_000);
    await undo(app.db, held.id, await keysOf(held.id));
    await expectKept(held);
    expect((await app.storage.fileInfo(held.key)).storageClass).toBe('STANDARD');
    expect(await keysOf(held.id)).toHaveLength(7);
  });

  test('its row is lost: an unnamed object of a held file is nobody’s to remove', async () => {
    const held = await heldPhoto();
    const stray = held.key.replace('/original/', '/large/').replace(/-[0-9a-f]{12}/, '-000000000000');
    await app.storage.uploadFile(Buffer.from('stray'), { key: stray, contentType: 'image/jpeg' });
    await everythingRuns();
    expect(await bytesAt(stray)).toEqual(Buffer.from('stray'));
    await app.storage.deleteFile(stray);
  });
});

describe('taking down what is held', () => {
  test('hides it and keeps its bytes, past the time for appeals, until the hold is lifted', async () => {
    const held = await heldPhoto();
    await app.review.decide(MODERATOR, held.id, { decision: 'takedown', reason: 'Not allowed' });
    await untilDelivered(app);
    await expect(app.files.getPhoto(null, held.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await ageFile(app, held.id, 400);
    await everythingRuns(1);
    const [view, ...rest] = await keysOf(held.id);
    expect(rest).toEqual([]);
    expect(view).toMatch(/^quarantine\/view\//);
    expect((await bytesAt(view ?? '')).equals(held.bytes)).toBe(true);

    await app.lifecycle.releaseHold(ADMIN, held.id);
    expect(await keysOf(held.id)).toHaveLength(1);
    await ageFile(app, held.id, 400);
    await everythingRuns(1);
    await untilState(app, held.id, 'deleted');
    expect(await keysOf(held.id)).toEqual([]);
  });

  test('keeps an archived original too', async () => {
    const { item, photos } = await listingWithPhotos(app);
    const id = fileId(photos[0] ?? '');
    await ageListing(app, item, 400);
    await app.lifecycle.archiveOldFiles();
    await app.lifecycle.setHold(ADMIN, id, 'Case 4711');
    const key = await originalKey(id);
    await app.review.decide(MODERATOR, id, { decision: 'takedown', reason: 'Not allowed' });
    await untilDelivered(app);
    expect((await keysOf(id)).map((each) => each.split('/', 2).join('/'))).toEqual([
      'items/original',
      'quarantine/view',
    ]);
    expect((await app.storage.fileInfo(key)).storageClass).toBe('GLACIER');
    await app.lifecycle.releaseHold(ADMIN, id);
  });
});

describe('photos on their way', () => {
  test('keep the uploaded bytes when they were held before the work on them, out of reach of the bucket’s rules', async () => {
    const alone = await startApp({ worker: false });
    try {
      const seller = newSeller();
      const photo = await distinctPhoto();
      const answer = await alone.files.uploadItemPhoto(seller, await newItem(alone, seller), photo, {
        waitMs: 0,
      });
      const id = fileId(answer.photo.id);
      await alone.lifecycle.setHold(ADMIN, id, 'Case 4711');
      const context = {
        id: 'job',
        attempt: 1,
        isLastAttempt: false,
        isExhausted: false,
        signal: new AbortController().signal,
      };
      await ingest(alone.jobs, { fileId: id, generation: 1 }, context);
      expect((await findFile(alone.db, id))?.state).toBe('ready');
      await alone.lifecycle.deleteExpiredFiles();
      await untilDelivered(alone);
      const keys = (await storedKeys(alone)).filter((key) => key.includes(id));
      expect(keys.filter((key) => key.startsWith('temp/'))).toEqual([]);
      const raw = await buffer((await alone.storage.downloadFile(`quarantine/raw/${id}`)).body);
      expect(raw.equals(photo.body)).toBe(true);
      await expectNoOrphans(alone);

      await alone.lifecycle.releaseHold(ADMIN, id);
      await untilDelivered(alone);
      await expect(alone.storage.fileInfo(`quarantine/raw/${id}`)).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    } finally {
      await alone.close();
    }
  }, 60_000);

  test('that are refused or fail keep their bytes, and lose them when the hold is lifted or appeals are over', async () => {
    verdict = 'review';
    const seller = newSeller();
    const { photo } = await app.files.uploadItemPhoto(
      seller,
      await newItem(app, seller),
      await distinctPhoto(),
      { waitMs: 0 },
    );
    const id = fileId((await untilState(app, photo.id, 'in_review')).id);
    verdict = 'publish';
    await untilDelivered(app);
    await app.lifecycle.setHold(ADMIN, id, 'Case 4711');
    await app.review.decide(MODERATOR, id, { decision: 'reject', reason: 'Not allowed' });
    await ageFile(app, id, 3_000);
    await everythingRuns(1);
    expect(await keysOf(id)).toHaveLength(2);
    await expect(app.files.deletePhoto(seller, id)).rejects.toMatchObject(LEGAL);

    const failing = await heldPhoto();
    await sql`update files set state = 'in_review' where id = ${failing.id}`.execute(app.db);
    await sql`update files set state = 'published' where id = ${failing.id}`.execute(app.db);
    await app.db.transaction().execute(async (trx) => {
      const file = await lockFileAndItem(trx, failing.id);
      if (file !== null) await end(trx, file, 'failed', { code: 'DEADLINE_EXCEEDED', message: 'Too late' });
    });
    await untilDelivered(app);
    expect((await bytesAt(failing.key)).equals(failing.bytes)).toBe(true);
    await app.lifecycle.releaseHold(ADMIN, failing.id);
    await untilState(app, failing.id, 'deleted');
  });
});

describe('profile photos and documents', () => {
  test('a held profile photo stays when another takes its place, and leaves when the hold is lifted', async () => {
    const owner = newSeller();
    const user = userId(owner.userId);
    const first = await app.files.uploadProfilePhoto(owner, user, await distinctPhoto(), WAIT);
    await untilState(app, first.photo.id, 'ready');
    const id = fileId(first.photo.id);
    await app.lifecycle.setHold(ADMIN, id, 'Case 4711');
    const key = await originalKey(id);
    const bytes = await bytesAt(key);
    const second = await app.files.uploadProfilePhoto(owner, user, await distinctPhoto(), WAIT);
    await untilState(app, second.photo.id, 'ready');
    expect((await app.files.getProfilePhoto(null, user)).id).toBe(second.photo.id);
    await expect(app.files.deleteProfilePhoto(owner, user)).rejects.toMatchObject(LEGAL);
    await everythingRuns();
    expect((await bytesAt(key)).equals(bytes)).toBe(true);

    await app.lifecycle.releaseHold(ADMIN, id);
    await untilState(app, id, 'deleted');
    expect((await app.files.getProfilePhoto(null, user)).id).toBe(second.photo.id);
  });

  test('a held document can neither be deleted nor shredded', async () => {
    const owner = newSeller();
    const { photo } = await app.files.uploadVerificationDocument(
      owner,
      userId(owner.userId),
      { filename: 'id.pdf', type: 'application/pdf', body: Readable.from([Buffer.from('%PDF-1.7 held')]) },
      WAIT,
    );
    const id = fileId((await untilState(app, photo.id, 'ready')).id);
    await app.lifecycle.setHold(ADMIN, id, 'Case 4711');
    await expect(app.files.deleteVerificationDocument(owner, id)).rejects.toMatchObject(LEGAL);
    await expect(destroyDocumentKey(app.db, id)).rejects.toMatchObject(LEGAL);
    await expect(app.security.shredFile(id)).rejects.toMatchObject(LEGAL);
    await everythingRuns();
    const { body } = await app.files.openVerificationDocument(owner, id);
    expect((await buffer(body)).toString()).toBe('%PDF-1.7 held');
    await app.lifecycle.releaseHold(ADMIN, id);
    await app.files.deleteVerificationDocument(owner, id);
    await untilState(app, id, 'deleted');
  });
});

describe('the hold itself', () => {
  test('is for admins, says why and by whom, is audited, and placed twice it is one', async () => {
    const { seller, photos } = await listingWithPhotos(app);
    const id = fileId(photos[0] ?? '');
    for (const who of [seller, MODERATOR, SERVICE]) {
      await expect(app.lifecycle.setHold(who, id, 'x')).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(app.lifecycle.releaseHold(who, id)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(app.lifecycle.getHold(who, id)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    const placed = await app.lifecycle.setHold(ADMIN, id, 'Case 4711');
    expect(placed).toMatchObject({ fileId: id, reason: 'Case 4711', placedBy: 'admin-1' });
    const other = { userId: 'admin-2', roles: ['admin'] } as const;
    expect(await app.lifecycle.setHold(other, id, 'Another case')).toEqual(placed);
    expect(await app.lifecycle.getHold(other, id)).toEqual(placed);
    await app.lifecycle.releaseHold(other, id);
    await expect(app.lifecycle.releaseHold(other, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const audited = await app.db
      .selectFrom('audit.entries')
      .select(['action', 'user_id as by', 'details'])
      .where('file_id', '=', id)
      .where('action', 'like', 'hold.%')
      .orderBy('id')
      .execute();
    expect(audited).toEqual([
      { action: 'hold.place', by: 'admin-1', details: { reason: 'Case 4711' } },
      { action: 'hold.lift', by: 'admin-2', details: { reason: 'Case 4711', placedBy: 'admin-1' } },
    ]);
  });

  test('is not for what is not there, or on its way out', async () => {
    const { seller, photos } = await listingWithPhotos(app);
    const id = fileId(photos[0] ?? '');
    await expect(
      app.lifecycle.setHold(ADMIN, fileId('019a8c6e-6c1e-7b57-9d0c-000000000000'), 'x'),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await app.files.deletePhoto(seller, id);
    await untilState(app, id, 'deleted');
    await expect(app.lifecycle.setHold(ADMIN, id, 'x')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('and a delete at the same moment: one of them wins, never both', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { seller, photos } = await listingWithPhotos(app);
      const id = fileId(photos[0] ?? '');
      const [hold, removal] = await Promise.allSettled([
        app.lifecycle.setHold(ADMIN, id, 'Case 4711'),
        app.files.deletePhoto(seller, id),
      ]);
      expect([hold.status, removal.status].toSorted()).toEqual(['fulfilled', 'rejected']);
      expect((await keysOf(id)).length > 0 || removal.status === 'fulfilled').toBe(true);
    }
  });
});
