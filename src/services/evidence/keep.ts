import { type EvidenceMove, keepEvidenceMove } from '../../db/evidence.ts';
import { markDamaged, noteSeen } from '../../db/object-checks.ts';
import { condemnLate, condemnObjects, dropRow, settleObjects } from '../../db/objects.ts';
import { addToOutbox } from '../../db/outbox.ts';
import type { Db } from '../../db/schema.ts';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import { publicPaths } from '../removal.ts';
import type { Brought, Evidence, EvidenceDeps } from './bring.ts';
import type { EvidenceKeys } from './keys.ts';

/** What is being restored lies at its public key once it is there, so it is looked for often. */
const RESTORING_SECONDS = 60;

/**
 * Writes down what lies in quarantine of an original, and has its public object go. Under the lock of its file. Errors: those of
 * the store; STORAGE_UNAVAILABLE when what was brought is not there any more.
 */
export async function keepEvidenceBrought(
  deps: EvidenceDeps,
  trx: Db,
  move: EvidenceMove,
  { keys, evidence }: { readonly keys: EvidenceKeys; readonly evidence: Evidence },
): Promise<void> {
  const { to, aside } = keys;
  const about = { fileId: move.file_id, key: to, from: move.key };
  switch (evidence.is) {
    case 'restoring':
      return keepEvidenceMove(trx, move.key, { state: 'restoring', error: null }, RESTORING_SECONDS);
    case 'whole':
      await settle(deps, trx, evidence.original);
      await remove(trx, move, [aside]);
      return moved(trx, move);
    case 'recovered': {
      // The right bytes are the evidence; what was found in their place lies beside them.
      const { original, found, source } = evidence;
      deps.log.error(
        { ...about, source, alarm: 'damaged' },
        'evidence was changed or missing, and comes from a backup source',
      );
      await settle(deps, trx, original);
      if (found !== null) await settle(deps, trx, found);
      await remove(trx, move, found === null ? [aside] : []);
      return moved(trx, move);
    }
    case 'altered':
      deps.log.error(
        { ...about, unasked: evidence.unasked, alarm: 'damaged' },
        'evidence is not what it was',
      );
      return hide(deps, trx, move, evidence.found, aside);
    case 'missing':
      // Its row stays while the hold is in force: the database forgets no evidence.
      deps.log.error({ ...about, alarm: 'lost' }, 'evidence is lost');
      await withdraw(trx, move, [to, aside]);
      return keepEvidenceMove(trx, move.key, { state: 'lost', error: 'NOT_FOUND' }, 0);
  }
}

/**
 * What was found is kept, and the public one is hidden: an earlier version that cannot be read now (it is archived) stays for as
 * long as the store keeps it. Where hiding would destroy that version, the public one stays where it is until the hold is
 * lifted: CloudFront is refused by its tag, our own edge by the rows. Its row stays, too, since an object without one would be
 * removed in all its versions.
 */
async function hide(
  deps: EvidenceDeps,
  trx: Db,
  move: EvidenceMove,
  found: Brought,
  aside: string,
): Promise<void> {
  const { key, file_id: fileId } = move;
  await settle(deps, trx, found);
  await markDamaged(trx, found.key);
  if (await isHidden(deps, key)) await dropRow(trx, key);
  else deps.log.warn({ fileId, key }, 'evidence stays at its public key, refused to everybody');
  await withdraw(trx, move, [aside]);
  await moved(trx, move);
}

async function isHidden({ storage }: EvidenceDeps, key: string): Promise<boolean> {
  try {
    await storage.hideFile(key);
    return true;
  } catch (error) {
    if (isStorageError(error, 'CONFLICT')) return false;
    throw error;
  }
}

/** A row stands on it from now on. Its hash is kept, so that the scrub watches over it. */
async function settle({ storage }: EvidenceDeps, trx: Db, brought: Brought): Promise<void> {
  const { key, bytes, etag, sha256 } = brought;
  const { etag: now } = await storage.fileInfo(key);
  if (now !== etag) throw new StorageError('STORAGE_UNAVAILABLE', undefined, { details: { key, etag, now } });
  await settleObjects(trx, [key], { [key]: bytes });
  await noteSeen(trx, [{ key, etag, sha256 }]);
}

/** The public one goes, in every version; caches forget it, and a probe shows so. */
async function remove(trx: Db, move: EvidenceMove, unused: readonly string[]): Promise<void> {
  const { key, file_id: fileId } = move;
  const keys = [...(await condemnObjects(trx, [key])), ...(await condemnLate(trx, fileId, unused))];
  await addToOutbox(trx, 'delete-objects', { fileId, keys, paths: publicPaths([{ key }]) });
}

/** As `remove`, but nothing that the store keeps of the public one goes. */
async function withdraw(trx: Db, move: EvidenceMove, unused: readonly string[]): Promise<void> {
  const { key, file_id: fileId } = move;
  const keys = await condemnLate(trx, fileId, unused);
  await addToOutbox(trx, 'delete-objects', { fileId, keys, paths: publicPaths([{ key }]) });
}

function moved(trx: Db, { key }: EvidenceMove): Promise<void> {
  return keepEvidenceMove(trx, key, { state: 'moved', error: null }, 0);
}
