import {
  claimEvidenceMoves,
  type EvidenceMove,
  extendEvidenceMove,
  findOpenMove,
  keepEvidenceMove,
} from '../../db/evidence.ts';
import { lockFile } from '../../db/files.ts';
import { isHeld } from '../../db/holds.ts';
import { allowIdle } from '../../db/idle.ts';
import { announceObjects, standingOf } from '../../db/objects.ts';
import type { Db } from '../../db/schema.ts';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import { undo } from '../removal.ts';
import { bringEvidence, type EvidenceDeps } from './bring.ts';
import { keepEvidenceBrought } from './keep.ts';
import { evidenceKeys } from './keys.ts';

const AT_ONCE = 20;
const LEASE_SECONDS = 30;
const MAX_DELAY_SECONDS = 300;

/**
 * Moves originals that a legal hold keeps from their public keys into quarantine: those that are due, of one file or of
 * all. Copied, and proved by hash, before the public one goes; killed anywhere it is done again to the same end. What
 * fails, or is archived and has to be restored first, stays on the list and is due again later. What is missing, or not
 * what it was, comes from a backup source where one has it.
 */
export async function moveEvidence(deps: EvidenceDeps, fileId: string | null = null): Promise<void> {
  for (let left = AT_ONCE; left > 0; left -= 1) {
    const [move] = await claimEvidenceMoves(deps.db, { fileId, limit: 1, leaseSeconds: LEASE_SECONDS });
    if (move === undefined) return;
    await tryOne(deps, move);
  }
}

async function tryOne(deps: EvidenceDeps, move: EvidenceMove): Promise<void> {
  const { key, attempts } = move;
  // However long the store takes, nobody else brings the same meanwhile.
  const beat = setInterval(() => void extend(deps, key), (LEASE_SECONDS / 3) * 1000);
  try {
    await moveOne(deps, move);
  } catch (error) {
    const delay = Math.min(MAX_DELAY_SECONDS, 5 * 2 ** Math.min(attempts, 10));
    deps.log.error(
      { err: error, fileId: move.file_id, key, attempts, delay },
      'evidence is still at its public key',
    );
    await keepEvidenceMove(deps.db, key, { error: isStorageError(error) ? error.code : 'INTERNAL' }, delay);
  } finally {
    clearInterval(beat);
  }
}

async function extend({ db, log }: EvidenceDeps, key: string): Promise<void> {
  try {
    await extendEvidenceMove(db, key, LEASE_SECONDS);
  } catch (error) {
    log.warn({ err: error, key }, 'the lease of a move could not be extended');
  }
}

/** Brought without a lock, as it may take long; what follows from it is written under the lock of the file. */
async function moveOne(deps: EvidenceDeps, move: EvidenceMove): Promise<void> {
  const keys = evidenceKeys(move.key);
  if (keys === null) throw new StorageError('INTERNAL', undefined, { details: { key: move.key } });
  const named = [keys.to, keys.aside];
  // Named before they are written, in a transaction of its own: a process that dies leaves nothing unnamed.
  const isAnnounced = await whileWanted(deps, move, (trx) => announceObjects(trx, move.file_id, named));
  if (!isAnnounced) return;
  const evidence = await bringEvidence(deps, move, keys);
  const isKept = await whileWanted(deps, move, async (trx) => {
    await allowIdle(trx);
    // The sweep may have given up what was announced; it waits for the file's lock from here on.
    await announceObjects(trx, move.file_id, named);
    await keepEvidenceBrought(deps, trx, move, { keys, evidence });
  });
  if (!isKept) await undo(deps.db, move.file_id, named);
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
