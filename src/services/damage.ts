import { lockFile } from '../db/files.ts';
import { isHeld } from '../db/holds.ts';
import { listAsides, listDamagedKeys, markDamaged, markWhole } from '../db/object-checks.ts';
import { condemnObjects } from '../db/objects.ts';
import { addToOutbox } from '../db/outbox.ts';
import type { Db, FileRow } from '../db/schema.ts';
import { findLiveObject, type StoredObject, warnOfDamage } from '../db/scrub.ts';
import { userId } from '../domain/ids.ts';
import { isServedKey, profileAlias } from '../domain/keys.ts';
import { publicPaths } from './removal.ts';

/** Among the warnings of a file while bytes of it are lost: owners read it, and what is lost is not offered. */
const DAMAGED = 'DAMAGED';

/** Keys of these files whose bytes are lost. Costs a query only where there is one. */
export async function lostKeys(
  db: Db,
  files: readonly Pick<FileRow, 'id' | 'warnings'>[],
): Promise<ReadonlySet<string>> {
  const damaged = files.filter((file) => file.warnings.includes(DAMAGED));
  return listDamagedKeys(
    db,
    damaged.map((file) => file.id),
  );
}

/**
 * Takes the lock of an object's file. Null when the premise no longer holds: the file is gone or on its way out, or a row
 * expects other bytes there by now.
 */
export async function lockForMending(db: Db, object: StoredObject): Promise<FileRow | null> {
  const file = await lockFile(db, object.fileId);
  const now = file === null ? null : await findLiveObject(db, object.key);
  const isSame = now?.variant?.sha256 === object.variant?.sha256 && now?.uploadSha256 === object.uploadSha256;
  return now !== null && isSame ? file : null;
}

/** The bytes are lost: nothing offers them from now on. Under the file's lock. */
export async function giveUpObject(db: Db, file: FileRow, key: string): Promise<void> {
  await markDamaged(db, key);
  await warnOfDamage(db, file.id, DAMAGED, true);
}

/**
 * The bytes are right again: they are offered, caches forget what they may hold, and what was found in their place goes
 * unless a hold keeps it. Under the file's lock.
 */
export async function acceptObject(db: Db, file: FileRow, key: string): Promise<void> {
  await markWhole(db, key);
  if (!(await isHeld(db, file.id))) await removeAsides(db, file.id, key);
  await forgetCached(db, file, key);
  if ((await listDamagedKeys(db, [file.id])).size > 0) return;
  await warnOfDamage(db, file.id, DAMAGED, false);
}

/** Removes what was found in the place of public objects of a file: of one of them, or of all. Under the file's lock. */
export async function removeAsides(db: Db, fileId: string, of: string | null = null): Promise<void> {
  const keys = await condemnObjects(db, await listAsides(db, fileId, of));
  if (keys.length > 0) await addToOutbox(db, 'delete-objects', { fileId, keys, paths: [] });
}

/** Has caches forget a key and what is answered from it. Documents and uploads are in none. */
export async function forgetCached(db: Db, file: FileRow, key: string): Promise<void> {
  if (!isServedKey(key)) return;
  const alias = file.kind === 'profile_photo' ? [profileAlias(userId(file.owner_id))] : [];
  await addToOutbox(db, 'purge', { fileId: file.id, paths: [...publicPaths([{ key }]), ...alias] });
}
