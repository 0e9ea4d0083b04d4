import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFile, transition } from '#src/db/files.ts';
import { condemnObjects } from '#src/db/objects.ts';
import { fileId } from '#src/domain/ids.ts';
import { undo } from '#src/services/removal.ts';
import { ADMIN, ageListing, ageFile, knowViews, listingWithPhotos } from '#test/support/ageing.ts';
import {
  expectDense,
  MODERATOR,
  SERVICE,
  startApp,
  type TestApp,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';
import {
  bytesAt,
  everythingRuns,
  expectKept,
  type Held,
  heldPhoto,
  keysOf,
  LEGAL,
} from './legal-hold-harness.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await knowViews(app);
}, 60_000);
afterAll(() => app.close());

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
    const held = await heldPhoto(app);
    await expect(remove(held)).rejects.toMatchObject(LEGAL);
    await expectKept(app, held);
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
    const held = await heldPhoto(app);
    await ageListing(app, held.item, 3_000);
    await undo(app.db, held.id, await keysOf(app, held.id));
    await expectKept(app, held);
    expect((await app.storage.fileInfo(held.key)).storageClass).toBe('STANDARD');
    expect(await keysOf(app, held.id)).toHaveLength(7);
  });

  test('its row is lost: an unnamed object of a held file is nobody’s to remove', async () => {
    const held = await heldPhoto(app);
    const stray = held.key.replace('/original/', '/large/').replace(/-[0-9a-f]{12}/, '-000000000000');
    await app.storage.uploadFile(Buffer.from('stray'), { key: stray, contentType: 'image/jpeg' });
    await everythingRuns(app);
    expect(await bytesAt(app, stray)).toEqual(Buffer.from('stray'));
    await app.storage.deleteFile(stray);
  });
});

describe('taking down what is held', () => {
  test('hides it and keeps its bytes, past the time for appeals, until the hold is lifted', async () => {
    const held = await heldPhoto(app);
    await app.review.decide(MODERATOR, held.id, { decision: 'takedown', reason: 'Not allowed' });
    await untilDelivered(app);
    await expect(app.files.getPhoto(null, held.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await ageFile(app, held.id, 400);
    await everythingRuns(app, 1);
    const [view, ...rest] = await keysOf(app, held.id);
    expect(rest).toEqual([]);
    expect(view).toMatch(/^quarantine\/view\//);
    expect((await bytesAt(app, view ?? '')).equals(held.bytes)).toBe(true);

    await app.lifecycle.releaseHold(ADMIN, held.id);
    expect(await keysOf(app, held.id)).toHaveLength(1);
    await ageFile(app, held.id, 400);
    await everythingRuns(app, 1);
    await untilState(app, held.id, 'deleted');
    expect(await keysOf(app, held.id)).toEqual([]);
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
    expect(placed).toMatchObject({ fileId: id, reason: 'Case 4711', placedBy: 'admin-1', evidence: [] });
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
      expect((await keysOf(app, id)).length > 0 || removal.status === 'fulfilled').toBe(true);
    }
  });
});
