import { listOwned, lockFile } from '../../db/files.ts';
import { isHeld } from '../../db/holds.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { listVariants } from '../../db/variants.ts';
import { mayActForUser, type Principal } from '../../domain/access.ts';
import { StorageError } from '../../domain/errors.ts';
import { isPublic, PLACED_STATES, PUBLIC_STATES } from '../../domain/file-state.ts';
import type { UserId } from '../../domain/ids.ts';
import type { OutputFormat } from '../../domain/renditions.ts';
import { lostKeys } from '../damage.ts';
import type { ServiceDeps } from '../deps.ts';
import type { Photo } from '../photo.ts';
import { end, remove } from '../removal.ts';
import { viewOf } from './one-photo.ts';
import { REPLACED } from './replaced.ts';

/** The present profile photo: the newest public one; for the user also one that is on its way. */
export async function getProfilePhoto(
  deps: Pick<ServiceDeps, 'db' | 'cdn'>,
  who: Principal | null,
  userId: UserId,
): Promise<Photo> {
  const file =
    (await presentPhoto(deps.db, userId)) ??
    (mayActForUser(who, userId) ? await newest(deps.db, userId) : null);
  if (file === null) throw noProfilePhoto();
  return viewOf(deps, who, file);
}

export async function deleteProfilePhoto(
  deps: Pick<ServiceDeps, 'db' | 'deliverNow'>,
  who: Principal,
  userId: UserId,
): Promise<void> {
  if (!mayActForUser(who, userId)) throw new StorageError('FORBIDDEN', 'Only the user may do that.');
  const removed = await deps.db.transaction().execute(async (trx) => {
    const files = await listOwned(trx, userId, 'profile_photo', [
      ...PLACED_STATES,
      'rejected',
      'failed',
      'taken_down',
    ]);
    for (const { id } of files) await removePresent(trx, id);
    return files;
  });
  if (removed.length === 0) throw noProfilePhoto();
  for (const { id } of removed) await deps.deliverNow(id);
}

/**
 * The successor is public: those before it leave, in the transaction that publishes it. Of one under legal hold the evidence
 * stays, and nothing of it in public.
 */
export async function replaceProfilePhotos(db: Db, successor: FileRow): Promise<void> {
  const files = await listOwned(db, successor.owner_id, 'profile_photo', [
    ...PUBLIC_STATES,
    'rejected',
    'failed',
  ]);
  for (const { id } of files.filter((file) => file.id < successor.id))
    if (await isHeld(db, id)) await hideHeld(db, id);
    else await removePresent(db, id);
}

async function hideHeld(db: Db, id: string): Promise<void> {
  const file = await lockFile(db, id);
  if (file !== null && isPublic(file.state)) await end(db, file, 'taken_down', REPLACED);
}

/** Somebody else may have removed it while we waited for its lock. */
async function removePresent(db: Db, id: string): Promise<void> {
  const file = await lockFile(db, id);
  if (file !== null && file.state !== 'deleting' && file.state !== 'deleted') await remove(db, file);
}

/** Whether a later upload of the same user is public already. Under the profile's lock. */
export async function hasSuccessor(db: Db, file: FileRow): Promise<boolean> {
  const others = await listOwned(db, file.owner_id, 'profile_photo', PUBLIC_STATES);
  return others.some((other) => other.id > file.id);
}

/** Key of the present thumbnail in that format, or in JPEG while it has no other. */
export async function profileThumbnailKey(db: Db, userId: UserId, format: OutputFormat): Promise<string> {
  const file = await presentPhoto(db, userId);
  const lost = await lostKeys(db, file === null ? [] : [file]);
  const variants = (file === null ? [] : await listVariants(db, [file.id])).filter(
    ({ key }) => !lost.has(key),
  );
  const thumbnails = variants.filter((variant) => variant.name === 'thumbnail');
  const found =
    thumbnails.find((variant) => variant.format === format) ??
    thumbnails.find((variant) => variant.format === 'jpeg') ??
    variants.find((variant) => variant.name === 'original');
  if (found === undefined) throw noProfilePhoto();
  return found.key;
}

async function presentPhoto(db: Db, userId: UserId): Promise<FileRow | null> {
  return (await listOwned(db, userId, 'profile_photo', PUBLIC_STATES))[0] ?? null;
}

async function newest(db: Db, userId: UserId): Promise<FileRow | null> {
  return (await listOwned(db, userId, 'profile_photo', [...PLACED_STATES, 'rejected', 'failed']))[0] ?? null;
}

function noProfilePhoto(): StorageError {
  return new StorageError('NOT_FOUND', 'This user has no profile photo.');
}
