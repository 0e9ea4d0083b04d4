import { destroyDocumentKey } from '../db/document-keys.ts';
import { closeGap, type FileChanges, transition } from '../db/files.ts';
import { bumpPhotosVersion } from '../db/items.ts';
import { condemnObjects, listObjects } from '../db/objects.ts';
import { addToOutbox } from '../db/outbox.ts';
import type { Db, FileRow } from '../db/schema.ts';
import { deleteVariants, listVariants } from '../db/variants.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { type FileState, holdsPlace } from '../domain/file-state.ts';
import { userId } from '../domain/ids.ts';
import { profileAlias } from '../domain/keys.ts';

export interface Reason {
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * A file leaves for good: rows now, objects and caches after the commit, through the outbox. The row stays as the
 * tombstone that explains it. Under the locks of item and file.
 */
export async function remove(db: Db, file: FileRow): Promise<FileRow | null> {
  return leave(db, file, 'deleting', { reason_code: file.reason_code, reason_message: file.reason_message });
}

/** An upload that came to nothing: as `remove`, with the reason. */
export async function discard(
  db: Db,
  file: FileRow,
  reason: Reason & { duplicateOf?: string },
): Promise<void> {
  await leave(db, file, 'deleting', {
    reason_code: reason.code,
    reason_message: reason.message,
    duplicate_of: reason.duplicateOf ?? null,
  });
}

/**
 * A file ends as failed, rejected or taken down: nothing of it stays public, its place is given up. Objects in `keep`
 * (what an appeal needs) stay. Null when the file has moved on meanwhile.
 */
export async function end(
  db: Db,
  file: FileRow,
  to: Extract<FileState, 'failed' | 'rejected' | 'taken_down'>,
  reason: Reason,
  keep: readonly string[] = [],
): Promise<FileRow | null> {
  return leave(db, file, to, { reason_code: reason.code, reason_message: reason.message }, keep);
}

async function leave(
  db: Db,
  file: FileRow,
  to: FileState,
  changes: FileChanges,
  keep: readonly string[] = [],
): Promise<FileRow | null> {
  const left = await transition(db, { id: file.id, from: file.state, generation: file.generation }, to, {
    ...changes,
    stage: null,
    position: null,
    deadline_at: null,
    finished_at: new Date(),
  });
  if (left === null) return null;
  await giveUpPlace(db, file);
  await withdrawObjects(db, file, keep);
  if (to === 'deleting' && file.kind === 'verification_document') await destroyDocumentKey(db, file.id);
  return left;
}

/** Positions stay dense, and the listing's version rises. */
async function giveUpPlace(db: Db, file: FileRow): Promise<void> {
  if (file.item_id === null || !holdsPlace(file.state)) return;
  if (file.position !== null) await closeGap(db, file.item_id, file.position);
  await bumpPhotosVersion(db, file.item_id);
}

/** Condemns every object of the file but those in `keep`, and has the CDN forget what was public. */
export async function withdrawObjects(db: Db, file: FileRow, keep: readonly string[] = []): Promise<void> {
  const variants = await listVariants(db, [file.id]);
  const named = (await listObjects(db, file.id)).map((object) => object.key);
  const keys = await condemnObjects(
    db,
    named.filter((key) => !keep.includes(key)),
  );
  await deleteVariants(db, file.id, keep);
  const alias = file.kind === 'profile_photo' ? [profileAlias(userId(file.owner_id))] : [];
  const gone = variants.filter((variant) => !keep.includes(variant.key));
  const paths = gone.length === 0 ? [] : [...publicPaths(gone), ...alias];
  await addToOutbox(db, 'delete-objects', { fileId: file.id, keys, paths });
}

/** The URLs an object can be cached under: its key, and the `.auto` that picks among formats. */
function publicPaths(variants: readonly { readonly key: string }[]): string[] {
  const autos = new Set(variants.map((variant) => variant.key.replace(/\.[a-z]+$/, '.auto')));
  return [...variants.map((variant) => variant.key), ...autos];
}
