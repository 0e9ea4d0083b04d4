import { claimEvidenceMoves, type EvidenceMove, findOpenMove, keepEvidenceMove } from '../../db/evidence.ts';
import { lockFile } from '../../db/files.ts';
import { isHeld } from '../../db/holds.ts';
import { announceObjects, condemnObjects, dropRow, settleObjects, standingOf } from '../../db/objects.ts';
import { addToOutbox } from '../../db/outbox.ts';
import type { Db } from '../../db/schema.ts';
import { markDamaged, noteSeen } from '../../db/scrub.ts';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import { evidenceKey, type ObjectKey, objectKey } from '../../domain/keys.ts';
import type { ObjectInfo } from '../../ports/object-store.ts';
import type { ServiceDeps } from '../deps.ts';
import { publicPaths } from '../removal.ts';
import { copyOriginal } from './copy-original.ts';

export type EvidenceDeps = Pick<ServiceDeps, 'db' | 'storage' | 'log'>;

const AT_ONCE = 20;
const LEASE_SECONDS = 30;
/** What is being restored could be read at its public key once it is there, so it is looked for often. */
const RESTORING_SECONDS = 60;
const MAX_DELAY_SECONDS = 300;

/**
 * Moves originals that a legal hold keeps from their public keys into quarantine: those that are due, of one file or of
 * all. Copied, and proved by hash, before the public one goes; killed anywhere it is done again to the same end. What
 * fails, or is archived and has to be restored first, stays on the list and is due again later.
 */
export async function moveEvidence(deps: EvidenceDeps, fileId: string | null = null): Promise<void> {
  const moves = await claimEvidenceMoves(deps.db, { fileId, limit: AT_ONCE, leaseSeconds: LEASE_SECONDS });
  for (const move of moves) {
    try {
      await moveOne(deps, move);
    } catch (error) {
      const delay = Math.min(MAX_DELAY_SECONDS, 5 * 2 ** Math.min(move.attempts, 10));
      const { key, attempts } = move;
      deps.log.error(
        { err: error, fileId: move.file_id, key, attempts, delay },
        'evidence is still at its public key',
      );
      await keepEvidenceMove(deps.db, key, { error: isStorageError(error) ? error.code : 'INTERNAL' }, delay);
    }
  }
}

async function moveOne(deps: EvidenceDeps, move: EvidenceMove): Promise<void> {
  const to = evidenceKey(move.key);
  if (to === null) throw new StorageError('INTERNAL', undefined, { details: { key: move.key } });
  // Named before it is written, in a transaction of its own: a process that dies leaves nothing unnamed.
  const isAnnounced = await whileWanted(deps, move, (trx) => announceObjects(trx, move.file_id, [to]));
  if (!isAnnounced) return;
  await whileWanted(deps, move, async (trx) => {
    // The sweep may have given up what was announced; it waits for the file's lock from here on.
    await announceObjects(trx, move.file_id, [to]);
    const copy = await copyOriginal(deps.storage, { from: objectKey(move.key), to, sha256: move.sha256 });
    if (copy === 'restoring')
      return keepEvidenceMove(trx, move.key, { state: 'restoring', error: null }, RESTORING_SECONDS);
    await settle(trx, move, to, copy.info);
    await (copy.isProven ? remove(trx, move) : hide(deps, trx, move, to));
    await keepEvidenceMove(trx, move.key, { state: 'moved', error: null }, 0);
  });
}

/** Under the file's lock, while the hold is in force and nobody has moved it. False when it is over. */
async function whileWanted(
  { db }: EvidenceDeps,
  { key, file_id: fileId }: EvidenceMove,
  work: (trx: Db) => Promise<void>,
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const file = await lockFile(trx, fileId);
    const isWanted =
      file !== null &&
      (await isHeld(trx, fileId)) &&
      (await findOpenMove(trx, key)) !== null &&
      (await standingOf(trx, key)) === 'live';
    if (isWanted) await work(trx);
    return isWanted;
  });
}

/** The evidence is what lies in quarantine; its hash is kept, so that the scrub watches over it. */
async function settle(trx: Db, { sha256 }: EvidenceMove, to: ObjectKey, info: ObjectInfo): Promise<void> {
  await settleObjects(trx, [to], { [to]: info.bytes });
  if (sha256 !== null) await noteSeen(trx, [{ key: to, etag: info.etag, sha256 }]);
}

/** The public one goes, in every version; caches forget it, and a probe shows so. */
async function remove(trx: Db, { key, file_id: fileId }: EvidenceMove): Promise<void> {
  const keys = await condemnObjects(trx, [key]);
  await addToOutbox(trx, 'delete-objects', { fileId, keys, paths: publicPaths([{ key }]) });
}

/**
 * The bytes are not those of the row: they were changed behind our back, and an earlier version may be what is to be
 * kept. So the public one is hidden, and the store keeps what it keeps of it.
 */
async function hide(deps: EvidenceDeps, trx: Db, move: EvidenceMove, to: ObjectKey): Promise<void> {
  const { key, file_id: fileId } = move;
  deps.log.error({ fileId, key: to, from: key, alarm: 'damaged' }, 'evidence is not what it was');
  await markDamaged(trx, to);
  await deps.storage.hideFile(key);
  await dropRow(trx, key);
  await addToOutbox(trx, 'delete-objects', { fileId, keys: [], paths: publicPaths([{ key }]) });
}
