import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { setArchive } from '#src/db/lifecycle.ts';
import { userId } from '#src/domain/ids.ts';
import { evidenceKey } from '#src/domain/keys.ts';
import { ADMIN, ageFile, knowViews } from '#test/support/ageing.ts';
import { MODERATOR, type TestApp, untilDelivered, untilState } from '#test/support/app.ts';
import { type ServedApp, startServedApp } from '#test/support/served-app.ts';
import {
  archived,
  endAs,
  expectInQuarantine,
  expectNotServed,
  expectProved,
  heldProfilePhoto,
  replace,
  takeDown,
} from './legal-hold-evidence-harness.ts';
import {
  bytesAt,
  everythingRuns,
  type Held,
  heldPhoto,
  keysOf,
  LEGAL,
  originalKey,
} from './legal-hold-harness.ts';

let served: ServedApp;
let app: TestApp;
beforeAll(async () => {
  served = await startServedApp();
  app = served.app;
  await knowViews(app);
}, 60_000);
afterAll(() => served.close());

describe('the original of a held photo that is public no longer leaves its public key for quarantine, when it is', () => {
  test.each<[string, () => Promise<Held>, (held: Held) => Promise<unknown>]>([
    ['taken down', () => heldPhoto(app), ({ id }) => takeDown(served, id)],
    ['failed', () => heldPhoto(app), (held) => endAs(served, held, 'failed')],
    ['taken down while it is archived', () => archived(served), ({ id }) => takeDown(served, id)],
    [
      'taken down while it is being brought back',
      async () => {
        const held = await archived(served);
        await setArchive(app.db, held.id, 'archived', 'restoring');
        return held;
      },
      ({ id }) => takeDown(served, id),
    ],
    ['replaced by another profile photo', () => heldProfilePhoto(served), (held) => replace(served, held)],
  ])('%s', async (_how, make, leave) => {
    const held = await make();
    await leave(held);
    await expectInQuarantine(served, held);
    await expectProved(served, held);
    // Nothing that is scheduled, and nobody who asks, makes it leave from there.
    await ageFile(app, held.id, 3_000);
    await everythingRuns(app, 1);
    await expect(app.files.deletePhoto(held.seller, held.id)).rejects.toMatchObject(LEGAL);
    await expectInQuarantine(served, held);

    await app.lifecycle.releaseHold(ADMIN, held.id);
    await ageFile(app, held.id, 3_000);
    await everythingRuns(app, 1);
    await untilState(app, held.id, 'deleted');
    expect(await keysOf(app, held.id)).toEqual([]);
  });

  test('and the hold tells how far it is', async () => {
    const held = await heldPhoto(app);
    await endAs(served, held, 'failed');
    await untilDelivered(app);
    expect((await app.lifecycle.getHold(ADMIN, held.id)).evidence).toEqual([
      { key: held.key, state: 'moved', error: null, since: expect.any(String), movedAt: expect.any(String) },
    ]);
  });
});

describe('an archived original that was taken down under hold', () => {
  test('stays when the photo is public again on appeal, with a stand-in in its place, until the hold is lifted', async () => {
    const held = await archived(served);
    await takeDown(served, held.id);
    await untilDelivered(app);
    await app.files.appeal(held.seller, held.id, 'It is mine');
    await app.review.decide(MODERATOR, held.id, { decision: 'approve', reason: 'It is' });
    await untilState(app, held.id, 'ready');
    await untilDelivered(app);
    const evidence = evidenceKey(held.key) ?? '';
    expect((await bytesAt(app, evidence)).equals(held.bytes)).toBe(true);
    expect(await served.status(await originalKey(app, held.id))).toBe(200);
    await expectNotServed(served, held);
    await app.lifecycle.releaseHold(ADMIN, held.id);
    await untilDelivered(app);
    expect(await keysOf(app, held.id)).not.toContain(evidence);
    expect((await findFile(app.db, held.id))?.state).toBe('ready');
  });

  test('leaves when the hold is lifted; the view for an appeal stays', async () => {
    const held = await archived(served);
    await takeDown(served, held.id);
    await untilDelivered(app);
    expect(await keysOf(app, held.id)).toHaveLength(2);
    await app.lifecycle.releaseHold(ADMIN, held.id);
    await untilDelivered(app);
    const left = await keysOf(app, held.id);
    expect(left).toEqual([await originalKey(app, held.id)]);
    expect(left[0]).not.toBe(evidenceKey(held.key));
  });
});

describe('a held profile photo that was replaced', () => {
  test('cannot be appealed for: its successor stands', async () => {
    const held = await heldProfilePhoto(served);
    await replace(served, held);
    await expectInQuarantine(served, held);
    await expect(app.files.appeal(held.seller, held.id, 'Again')).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(app.files.deleteProfilePhoto(held.seller, userId(held.seller.userId))).rejects.toMatchObject(
      LEGAL,
    );
  });
});
