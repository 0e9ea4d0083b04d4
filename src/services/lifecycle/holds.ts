import { recordAccess } from '../../db/access-log.ts';
import { dropEvidenceMoves, listEvidenceMoves } from '../../db/evidence.ts';
import { findFile, lockFileAndItem } from '../../db/files.ts';
import { findHold, type Hold, liftHold, placeHold } from '../../db/holds.ts';
import { condemnLate, condemnObjects, listObjects } from '../../db/objects.ts';
import { addToOutbox } from '../../db/outbox.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { listVariants } from '../../db/variants.ts';
import { assertMayAdminister, type Principal } from '../../domain/access.ts';
import { StorageError } from '../../domain/errors.ts';
import type { EvidenceMoveState } from '../../domain/evidence.ts';
import { isPublic } from '../../domain/file-state.ts';
import type { FileId } from '../../domain/ids.ts';
import type { ServiceDeps } from '../deps.ts';
import { isTemporaryKey, PREFIXES } from '../../domain/keys.ts';
import { removeAsides } from '../damage.ts';
import { evidenceKeys } from '../evidence/keys.ts';
import { hasSuccessor } from '../photos/profile-photos.ts';
import { isReplaced } from '../photos/replaced.ts';
import { publicPaths, remove, underHold } from '../removal.ts';
import { keepHeldUpload } from './held-upload.ts';

/** A legal hold as staff see it. */
export interface LegalHold {
  readonly fileId: string;
  readonly reason: string;
  readonly placedBy: string;
  readonly placedAt: string;
  /** Originals that were public when the photo ended, and how far they are on their way into quarantine. */
  readonly evidence: readonly {
    /** The public key that it leaves. */
    readonly key: string;
    readonly state: EvidenceMoveState;
    /** Code of what was in the way when it was last tried. */
    readonly error: string | null;
    readonly since: string;
    readonly movedAt: string | null;
  }[];
}

type Deps = Pick<ServiceDeps, 'db' | 'storage' | 'deliverNow'>;

/**
 * Puts a file under legal hold: from the commit on nobody removes what it stands on, whatever rule, owner or moderator
 * asks. Placed again it stays as it was. Errors: FORBIDDEN, NOT_FOUND, CONFLICT while its bytes have not arrived.
 */
export async function setHold(deps: Deps, who: Principal, id: FileId, reason: string): Promise<LegalHold> {
  assertMayAdminister(who, 'hold');
  const hold = await deps.db.transaction().execute(async (trx) => {
    const file = await lockFileAndItem(trx, id);
    if (file === null || file.state === 'deleted') throw noFile();
    if (file.state === 'deleting') throw new StorageError('CONFLICT', 'It is being removed already.');
    if (file.state === 'pending') throw new StorageError('CONFLICT', 'Its bytes have not arrived yet.');
    const placed = await placeHold(trx, { fileId: id, reason, placedBy: who.userId });
    if (placed !== null)
      await recordAccess(trx, { userId: who.userId, action: 'hold.place', fileId: id, details: { reason } });
    return placed ?? existing(await findHold(trx, id));
  });
  const file = await findFile(deps.db, id);
  // While it is being checked its job reads it where it lies; the sweep moves it.
  if (file?.state !== 'received' && file?.state !== 'checking') await keepHeldUpload(deps, id);
  return toHold(deps.db, hold);
}

/** Lifts the hold; what only the hold kept leaves now. Errors: FORBIDDEN, NOT_FOUND when there is none. */
export async function releaseHold(deps: Deps, who: Principal, id: FileId): Promise<void> {
  assertMayAdminister(who, 'hold');
  await deps.db.transaction().execute(async (trx) => {
    const file = await lockFileAndItem(trx, id);
    const lifted = file === null ? null : await liftHold(trx, id, who.userId);
    if (file === null || lifted === null) throw noHold();
    await recordAccess(trx, {
      userId: who.userId,
      action: 'hold.lift',
      fileId: id,
      details: { reason: lifted.reason, placedBy: lifted.placedBy },
    });
    await tidy(trx, file);
  });
  await deps.deliverNow(id);
}

/** The hold in force. Errors: FORBIDDEN, NOT_FOUND. */
export async function getHold(deps: Pick<ServiceDeps, 'db'>, who: Principal, id: FileId): Promise<LegalHold> {
  assertMayAdminister(who, 'hold');
  const hold = await findHold(deps.db, id);
  if (hold === null) throw noHold();
  return toHold(deps.db, hold);
}

/** Does what was not done while the hold was in force. Refused photos go by their rule. */
async function tidy(db: Db, file: FileRow): Promise<void> {
  const moved = await dropEvidenceMoves(db, file.id);
  await removeHidden(db, file, moved);
  await removeAsides(db, file.id);
  if ((await isPredecessor(db, file)) || file.state === 'failed' || isDeadDocument(file)) {
    await remove(db, file);
    return;
  }
  const stays = new Set((await listVariants(db, [file.id])).map(({ key }) => key));
  const evidence = moved.flatMap(allKeys).filter((key) => !stays.has(key));
  const raw = file.state === 'ready' && file.kind !== 'verification_document' ? await rawKeys(db, file) : [];
  const keys = await condemnObjects(db, [...evidence, ...raw]);
  const paths = publicPaths(keys.filter((key) => moved.includes(key)).map((key) => ({ key })));
  if (keys.length > 0) await addToOutbox(db, 'delete-objects', { fileId: file.id, keys, paths });
}

/** Versions of evidence that a store has kept behind its public key, where no row names any more what lies there. */
async function removeHidden(db: Db, { id }: FileRow, moved: readonly string[]): Promise<void> {
  const named = new Set((await listObjects(db, id)).map(({ key }) => key));
  const keys = await condemnLate(
    db,
    id,
    moved.filter((key) => !named.has(key)),
  );
  if (keys.length > 0) await addToOutbox(db, 'delete-objects', { fileId: id, keys, paths: [] });
}

/** Where evidence may lie: where it was public, in quarantine, and what was found in its place. */
function allKeys(key: string): string[] {
  const keys = evidenceKeys(key);
  return keys === null ? [key] : [key, keys.to, keys.aside];
}

async function rawKeys(db: Db, file: FileRow): Promise<string[]> {
  return (await listObjects(db, file.id))
    .map((object) => object.key)
    .filter((key) => isTemporaryKey(key) || key.startsWith(PREFIXES.quarantineRaw));
}

/** Also one that was left public beside its successor, as it was until evidence left public keys. */
async function isPredecessor(db: Db, file: FileRow): Promise<boolean> {
  if (file.kind !== 'profile_photo') return false;
  return isReplaced(file) || (isPublic(file.state) && (await hasSuccessor(db, file)));
}

function isDeadDocument(file: FileRow): boolean {
  return file.kind === 'verification_document' && file.state === 'rejected';
}

function existing(hold: Hold | null): Hold {
  if (hold === null) throw underHold();
  return hold;
}

async function toHold(db: Db, hold: Hold): Promise<LegalHold> {
  const moves = await listEvidenceMoves(db, hold.fileId);
  return {
    fileId: hold.fileId,
    reason: hold.reason,
    placedBy: hold.placedBy,
    placedAt: hold.placedAt.toISOString(),
    evidence: moves.map(({ key, state, error, created_at: since, moved_at: movedAt }) => ({
      key,
      state,
      error,
      since: since.toISOString(),
      movedAt: movedAt?.toISOString() ?? null,
    })),
  };
}

function noFile(): StorageError {
  return new StorageError('NOT_FOUND', 'There is no such file.');
}

function noHold(): StorageError {
  return new StorageError('NOT_FOUND', 'There is no legal hold on this file.');
}
