import { destroyDocumentKey } from '../db/document-keys.ts';
import { type FileChanges, lockFile, transition } from '../db/files.ts';
import { isHeld } from '../db/holds.ts';
import { bumpPhotosVersion } from '../db/items.ts';
import { condemnLate, condemnObjects, listObjects } from '../db/objects.ts';
import { addToOutbox } from '../db/outbox.ts';
import { closeGap } from '../db/positions.ts';
import type { Database, Db, FileRow } from '../db/schema.ts';
import { deleteVariants, listVariants } from '../db/variants.ts';
import { type ErrorCode, StorageError } from '../domain/errors.ts';
import { type FileState, holdsPlace } from '../domain/file-state.ts';
import { userId } from '../domain/ids.ts';
import { profileAlias } from '../domain/keys.ts';
import { keepEvidence } from './evidence/withdraw.ts';

export interface Reason {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What becomes of the objects of a file that ends. */
interface Withdrawal {
  readonly keep?: readonly string[];
  /** Whether somebody may be writing an object of the file at this moment. Default: yes. */
  readonly mayBeWritten?: boolean;
}

/**
 * A file leaves for good: rows now, objects and caches after the commit, through the outbox. The row stays as the
 * tombstone that explains it. Under the locks of item and file. Errors: LEGAL_HOLD.
 */
export async function remove(db: Db, file: FileRow): Promise<FileRow | null> {
  return leave(db, file, 'deleting', { reason_code: file.reason_code, reason_message: file.reason_message });
}

/** An upload that came to nothing, and nobody writes to any more unless `mayBeWritten`: as `remove`, with the reason. */
export async function discard(
  db: Db,
  file: FileRow,
  reason: Reason & { duplicateOf?: string },
  mayBeWritten = false,
): Promise<void> {
  const changes = {
    reason_code: reason.code,
    reason_message: reason.message,
    duplicate_of: reason.duplicateOf ?? null,
  };
  await leave(db, file, 'deleting', changes, { mayBeWritten });
}

/**
 * A file ends as failed, rejected or taken down: nothing of it stays public, its place is given up. Objects in `keep`
 * (what an appeal needs) stay, and what a legal hold needs. `mayBeWritten: false` from who knows that nobody writes any
 * more. Null when the file has moved on meanwhile.
 */
export async function end(
  db: Db,
  file: FileRow,
  to: Extract<FileState, 'failed' | 'rejected' | 'taken_down'>,
  reason: Reason,
  withdrawal: Withdrawal = {},
): Promise<FileRow | null> {
  return leave(db, file, to, { reason_code: reason.code, reason_message: reason.message }, withdrawal);
}

/**
 * A public photo waits for a person: nothing of it stays public, its place in the listing does. Objects in `keep` (what the
 * person looks at) stay, and what a legal hold needs. Null when the file has moved on meanwhile.
 */
export async function holdBack(
  db: Db,
  file: FileRow,
  reason: Reason,
  withdrawal: Pick<Withdrawal, 'keep'>,
): Promise<FileRow | null> {
  const held = await transition(
    db,
    { id: file.id, from: file.state, generation: file.generation },
    'in_review',
    { reason_code: reason.code, reason_message: reason.message, stage: null, deadline_at: null },
  );
  if (held === null) return null;
  if (file.item_id !== null) await bumpPhotosVersion(db, file.item_id);
  const evidence = (await isHeld(db, file.id)) ? await keepEvidence(db, file, withdrawal.keep) : [];
  await withdrawObjects(db, file, { ...withdrawal, evidence });
  return held;
}

/**
 * Work came too late: removes what it wrote, but nothing that a row stands on (a twin may have won with the same keys),
 * and also what nobody names any more because the file was deleted while it was written. Under the file's row lock.
 */
export async function undo(db: Database, fileId: string, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await db.transaction().execute(async (trx) => {
    await lockFile(trx, fileId);
    const named = new Set((await listVariants(trx, [fileId])).map((variant) => variant.key));
    const condemned = await condemnLate(
      trx,
      fileId,
      keys.filter((key) => !named.has(key)),
    );
    if (condemned.length > 0)
      await addToOutbox(trx, 'delete-objects', { fileId, keys: condemned, paths: [] });
  });
}

async function leave(
  db: Db,
  file: FileRow,
  to: FileState,
  changes: FileChanges,
  withdrawal: Withdrawal = {},
): Promise<FileRow | null> {
  const held = await isHeld(db, file.id);
  if (held && to === 'deleting') throw underHold();
  const left = await transition(db, { id: file.id, from: file.state, generation: file.generation }, to, {
    ...changes,
    stage: null,
    position: null,
    deadline_at: null,
    finished_at: new Date(),
  });
  if (left === null) return null;
  await giveUpPlace(db, file);
  const evidence = held ? await keepEvidence(db, file, withdrawal.keep) : [];
  await withdrawObjects(db, file, { ...withdrawal, evidence });
  if (file.kind === 'verification_document' && !held) await destroyDocumentKey(db, file.id);
  return left;
}

/** The refusal of everybody who would remove what is under legal hold. */
export function underHold(): StorageError {
  return new StorageError('LEGAL_HOLD', 'This is under legal hold and cannot be removed.');
}

/** Positions stay dense, and the listing's version rises. */
async function giveUpPlace(db: Db, file: FileRow): Promise<void> {
  if (file.item_id === null || !holdsPlace(file.state)) return;
  if (file.position !== null) await closeGap(db, file.item_id, file.position);
  await bumpPhotosVersion(db, file.item_id);
}

/**
 * Condemns every object of the file but those in `keep` and `evidence` (which are no renditions of the photo any more), and
 * has the CDN forget what was public. A key that is being written keeps its row until its writer is done (`undo`) or known
 * to be dead (the sweep): bytes that arrive after the first removal are still named by it.
 */
async function withdrawObjects(
  db: Db,
  file: FileRow,
  { keep = [], evidence, mayBeWritten = true }: Withdrawal & { readonly evidence: readonly string[] },
): Promise<void> {
  const variants = await listVariants(db, [file.id]);
  const stays = new Set([...keep, ...evidence]);
  const leaving = (await listObjects(db, file.id)).filter((object) => !stays.has(object.key));
  const keys = leaving.map((object) => object.key);
  await condemnObjects(
    db,
    leaving.filter((object) => object.state !== 'writing' || !mayBeWritten).map((object) => object.key),
  );
  await deleteVariants(db, file.id, keep);
  const alias = file.kind === 'profile_photo' ? [profileAlias(userId(file.owner_id))] : [];
  const gone = variants.filter((variant) => !keep.includes(variant.key));
  const [moving, leavingNow] = partition(gone, ({ key }) => evidence.includes(key));
  // Caches forget evidence at once. That it is gone is shown when it has been moved.
  if (moving.length > 0)
    await addToOutbox(db, 'purge', { fileId: file.id, paths: [...publicPaths(moving), ...alias] });
  const paths = leavingNow.length === 0 ? [] : [...publicPaths(leavingNow), ...alias];
  await addToOutbox(db, 'delete-objects', { fileId: file.id, keys, paths });
}

/** The URLs an object can be cached under: its key, and the `.auto` that picks among formats. */
export function publicPaths(variants: readonly { readonly key: string }[]): string[] {
  const autos = new Set(variants.map((variant) => variant.key.replace(/\.[a-z]+$/, '.auto')));
  return [...variants.map((variant) => variant.key), ...autos];
}

function partition<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}
