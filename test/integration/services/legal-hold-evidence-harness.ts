import { expect } from 'vitest';
import { lockFileAndItem } from '#src/db/files.ts';
import type { Db } from '#src/db/schema.ts';
import { fileId, itemId, userId } from '#src/domain/ids.ts';
import { evidenceKey } from '#src/domain/keys.ts';
import { probeWithdrawn } from '#src/jobs/probe-withdrawn.ts';
import { listProbes } from '#src/db/cdn-probes.ts';
import type { EvidenceDeps } from '#src/services/evidence/bring.ts';
import { moveEvidence } from '#src/services/evidence/move.ts';
import type { Photo } from '#src/services/photo.ts';
import { end } from '#src/services/removal.ts';
import { ADMIN, ageListing } from '#test/support/ageing.ts';
import {
  distinctPhoto,
  expectNoOrphans,
  MODERATOR,
  newSeller,
  until,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';
import type { ServedApp } from '#test/support/served-app.ts';
import { bytesAt, type Held, heldPhoto, keysOf, originalKey } from './legal-hold-harness.ts';

export function takeDown({ app }: ServedApp, id: Held['id']): Promise<Photo> {
  return app.review.decide(MODERATOR, id, { decision: 'takedown', reason: 'Not allowed' });
}

/** Ends a public photo in a transaction of the test's own. */
export async function endAs(
  { app }: ServedApp,
  { id }: Held,
  to: 'failed' | 'taken_down',
  also: (trx: Db) => Promise<void> = async () => undefined,
): Promise<void> {
  await app.db.transaction().execute(async (trx) => {
    // What had all its renditions never fails: here it has still to get them.
    if (to === 'failed') {
      await trx.updateTable('files').set({ state: 'in_review' }).where('id', '=', id).execute();
      await trx.updateTable('files').set({ state: 'published' }).where('id', '=', id).execute();
    }
    const file = await lockFileAndItem(trx, id);
    if (file !== null) await end(trx, file, to, { code: 'DEADLINE_EXCEEDED', message: 'Too late' });
    await also(trx);
  });
}

/** Ended, with nothing moved yet: what would do so looks an hour later. */
export async function waiting(served: ServedApp, held: Held): Promise<void> {
  await endAs(served, held, 'taken_down', async (trx) => {
    await trx
      .updateTable('evidence_moves')
      .set({ due_at: new Date(Date.now() + 3_600_000) })
      .where('file_id', '=', held.id)
      .execute();
  });
  await untilDelivered(served.app);
}

/** What waits is due now; moved with these parts in place of the service's own. */
export async function goOn(
  { app }: ServedApp,
  held: Held,
  parts: Partial<Pick<EvidenceDeps, 'db' | 'storage' | 'backups'>> = {},
): Promise<void> {
  await app.db
    .updateTable('evidence_moves')
    .set({ due_at: new Date(0) })
    .where('file_id', '=', held.id)
    .execute();
  await moveEvidence({ ...app.jobs, backups: app.backups, ...parts }, held.id);
}

/** A held photo whose original is archived. */
export async function archived({ app }: ServedApp): Promise<Held> {
  const held = await heldPhoto(app);
  await app.lifecycle.releaseHold(ADMIN, held.id);
  await ageListing(app, held.item, 400);
  await app.lifecycle.archiveOldFiles();
  expect((await app.storage.fileInfo(held.key)).storageClass).toBe('GLACIER');
  await app.lifecycle.setHold(ADMIN, held.id, 'Case 4711');
  return held;
}

export async function heldProfilePhoto({ app }: ServedApp): Promise<Held> {
  const seller = newSeller();
  const answer = await app.files.uploadProfilePhoto(seller, userId(seller.userId), await distinctPhoto(), {
    waitMs: 20_000,
  });
  const { id } = await untilState(app, answer.photo.id, 'ready');
  await untilDelivered(app);
  await app.lifecycle.setHold(ADMIN, fileId(id), 'Case 4711');
  const key = await originalKey(app, id);
  return { seller, item: itemId('none'), id: fileId(id), key, bytes: await bytesAt(app, key) };
}

/** Another profile photo of that user takes its place. */
export async function replace({ app }: ServedApp, { seller }: Held): Promise<void> {
  const who = userId(seller.userId);
  const { photo } = await app.files.uploadProfilePhoto(seller, who, await distinctPhoto(), {
    waitMs: 20_000,
  });
  await untilState(app, photo.id, 'ready');
  expect((await app.files.getProfilePhoto(null, who)).id).toBe(photo.id);
}

/** Nobody reads the original at its public address any more, whatever cache it asks. */
export async function expectNotServed(served: ServedApp, { key }: Held): Promise<void> {
  for (const path of [key, key.replace(/\.[a-z]+$/, '.auto')])
    expect(await served.status(path), path).toBe(404);
}

/** The evidence lies in quarantine, byte for byte, and nothing of it in public. */
export async function expectInQuarantine(served: ServedApp, held: Held): Promise<void> {
  const { app } = served;
  await untilDelivered(app);
  expect((await keysOf(app, held.id)).filter((key) => /^(items|profiles)\//.test(key))).toEqual([]);
  const kept = await bytesAt(app, evidenceKey(held.key) ?? '');
  expect(kept.equals(held.bytes)).toBe(true);
  await expectNotServed(served, held);
  await expectNoOrphans(app);
}

/** Every withdrawn path was asked for and was gone, the original's among them. */
export async function expectProved({ app }: ServedApp, { id, key }: Held): Promise<void> {
  await until('the proofs', async () => {
    await app.db
      .updateTable('cdn_probes')
      .set({ due_at: new Date(0) })
      .where('state', '=', 'waiting')
      .execute();
    await probeWithdrawn(app.jobs);
    const proofs = await listProbes(app.db, id);
    return (proofs.length > 0 && proofs.every(({ state }) => state !== 'waiting')) || null;
  });
  const proofs = await listProbes(app.db, id);
  expect(proofs.map(({ state }) => state)).toEqual(proofs.map(() => 'gone'));
  expect(proofs.flatMap(({ answers }) => answers)).toContainEqual(
    expect.objectContaining({ path: key, status: 404 }),
  );
}
