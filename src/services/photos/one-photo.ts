import { recordAccess } from '../../db/access-log.ts';
import { findFile, lockFileAndItem, updateFile } from '../../db/files.ts';
import { touchItem } from '../../db/items.ts';
import { listObjects } from '../../db/objects.ts';
import { countAppeals, insertAppeal } from '../../db/review.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { listVariants } from '../../db/variants.ts';
import { type FileAction, mayAccessFile, type Principal } from '../../domain/access.ts';
import { StorageError } from '../../domain/errors.ts';
import { isPublic } from '../../domain/file-state.ts';
import { MAX_APPEALS } from '../../domain/review-case.ts';
import { type FileId, fileId } from '../../domain/ids.ts';
import { isSignedKey, quarantineViewKey } from '../../domain/keys.ts';
import { OUTPUT_FORMATS, type OutputFormat, type VariantName } from '../../domain/renditions.ts';
import { lostKeys } from '../damage.ts';
import type { ServiceDeps } from '../deps.ts';
import { bringBack } from '../lifecycle/restore.ts';
import type { Photo } from '../photo.ts';
import { remove } from '../removal.ts';
import { backIntoReview } from './back-into-review.ts';
import { toPhotos } from './photo-view.ts';
import { isReplaced } from './replaced.ts';

/** One photo as the caller may see it. NOT_FOUND also when it is none of the caller's business. */
export async function getPhoto(
  deps: Pick<ServiceDeps, 'db' | 'cdn'>,
  who: Principal | null,
  id: FileId,
): Promise<Photo> {
  const file = await fileFor(deps.db, who, 'read', id);
  return viewOf(deps, who, file);
}

export async function deletePhoto(
  deps: Pick<ServiceDeps, 'db' | 'deliverNow'>,
  who: Principal,
  id: FileId,
): Promise<void> {
  await deps.db.transaction().execute(async (trx) => {
    const file = await lockedFileFor(trx, who, 'delete', id);
    if (file.state !== 'deleting') await remove(trx, file);
  });
  await deps.deliverNow(id);
}

export async function setAlt(
  deps: Pick<ServiceDeps, 'db' | 'cdn'>,
  who: Principal,
  id: FileId,
  alt: string,
): Promise<Photo> {
  const file = await fileFor(deps.db, who, 'edit', id);
  if (file.kind === 'verification_document') throw noPhoto();
  const changed = await updateFile(
    deps.db,
    { id, from: file.state },
    { alt: alt.trim() === '' ? null : alt.trim() },
  );
  if (changed === null) throw new StorageError('CONFLICT', 'The photo changed meanwhile; try again.');
  return viewOf(deps, who, changed);
}

/** The owner asks for a second look at a photo that was refused for its content, or taken down. */
export async function appeal(
  deps: Pick<ServiceDeps, 'db' | 'cdn'>,
  who: Principal,
  id: FileId,
  message: string,
): Promise<Photo> {
  const file = await deps.db.transaction().execute(async (trx) => {
    const before = await lockedFileFor(trx, who, 'appeal', id);
    const kept = (await listObjects(trx, id)).some(
      (object) => object.state === 'live' && isSignedKey(object.key),
    );
    const isRefused = before.state === 'rejected' || (before.state === 'taken_down' && !isReplaced(before));
    if (!isRefused || !kept)
      throw new StorageError('CONFLICT', 'There is nothing to appeal: upload the photo again instead.');
    if ((await countAppeals(trx, id)) >= MAX_APPEALS)
      throw new StorageError(
        'CONFLICT',
        `You have asked ${MAX_APPEALS} times; the decision stands. Upload another photo instead.`,
      );
    await insertAppeal(trx, { fileId: id, userId: who.userId, message });
    return backIntoReview(trx, before);
  });
  if (file === null) throw new StorageError('CONFLICT', 'The photo changed meanwhile; try again.');
  return viewOf(deps, who, file);
}

/**
 * Has an archived original brought back: at once where the store can, else within hours; the photo's `archive` tells.
 * Asked for what is at hand, or on its way, it is a success. Errors: NOT_FOUND, FORBIDDEN.
 */
export async function restorePhoto(
  deps: Pick<ServiceDeps, 'db' | 'cdn' | 'deliverNow'>,
  who: Principal,
  id: FileId,
): Promise<Photo> {
  await deps.db.transaction().execute(async (trx) => {
    const file = await lockedFileFor(trx, who, 'restore', id);
    if (!(await bringBack(trx, file))) return;
    if (file.item_id !== null) await touchItem(trx, file.item_id);
    await recordAccess(trx, { userId: who.userId, action: 'photo.restore', fileId: id });
  });
  await deps.deliverNow(id);
  return getPhoto(deps, who, id);
}

/**
 * A URL that works for `expiresIn` seconds: of a public rendition, or of the sanitised view of a photo that is not
 * public (owner and staff; audited before the URL is given). NOT_FOUND when there is no such rendition,
 * OBJECT_ARCHIVED when it is an original that has to be brought back first.
 */
export async function getPhotoUrl(
  deps: Pick<ServiceDeps, 'db' | 'cdn' | 'clock' | 'limits'>,
  who: Principal,
  id: FileId,
  request: { variant: VariantName; format: OutputFormat | null; expiresIn: number },
): Promise<{ url: string; expiresAt: string }> {
  const expiresAt = expiryOf(deps, request.expiresIn);
  const file = await fileFor(deps.db, who, 'read', id);
  const key = isPublic(file.state)
    ? await variantKey(deps.db, file, request.variant, request.format)
    : await privateViewKey(deps.db, who, file);
  return { url: deps.cdn.signedUrl(key, expiresAt), expiresAt: expiresAt.toISOString() };
}

/** So many seconds from now. INVALID_REQUEST for more than signatures may last. */
export function expiryOf({ clock, limits }: Pick<ServiceDeps, 'clock' | 'limits'>, expiresIn: number): Date {
  const most = limits.signedUrlMaxSeconds;
  if (expiresIn > most) throw new StorageError('INVALID_REQUEST', `expiresIn is at most ${most} seconds.`);
  return new Date(clock.now().getTime() + expiresIn * 1000);
}

/** The sanitised view of a photo in quarantine, or null when there is none, or it is lost. */
export async function findViewKey(db: Db, file: FileRow): Promise<string | null> {
  const { hash12 } = file;
  if (hash12 === null) return null;
  const possible = new Set<string>(
    OUTPUT_FORMATS.map((format) => quarantineViewKey(idOf(file), hash12, format)),
  );
  const lost = await lostKeys(db, [file]);
  const objects = await listObjects(db, file.id);
  const isView = ({ key, state }: (typeof objects)[number]) =>
    state === 'live' && possible.has(key) && !lost.has(key);
  return objects.find(isView)?.key ?? null;
}

/** The file, if the caller may do that with it; NOT_FOUND when not even reading is allowed, else FORBIDDEN. */
export async function fileFor(
  db: Db,
  who: Principal | null,
  action: FileAction,
  id: FileId,
): Promise<FileRow> {
  return assertAccess(await findFile(db, id), who, action);
}

export async function lockedFileFor(
  db: Db,
  who: Principal,
  action: FileAction,
  id: FileId,
): Promise<FileRow> {
  return assertAccess(await lockFileAndItem(db, id), who, action);
}

export async function viewOf(
  deps: Pick<ServiceDeps, 'db' | 'cdn'>,
  who: Principal | null,
  file: FileRow,
): Promise<Photo> {
  const [photo] = await toPhotos(deps, [file], mayAccessFile(who, 'read_content', factsOf(file)));
  if (photo === undefined) throw noPhoto();
  return photo;
}

function assertAccess(file: FileRow | null, who: Principal | null, action: FileAction): FileRow {
  if (file === null || !mayAccessFile(who, 'read', factsOf(file))) throw noPhoto();
  if (!mayAccessFile(who, action, factsOf(file)))
    throw new StorageError('FORBIDDEN', 'That is not allowed to you.');
  return file;
}

function factsOf(file: FileRow) {
  return { kind: file.kind, ownerId: file.owner_id, state: file.state };
}

async function variantKey(
  db: Db,
  file: FileRow,
  variant: VariantName,
  format: OutputFormat | null,
): Promise<string> {
  if (variant === 'original' && file.archive !== 'none')
    throw new StorageError(
      'OBJECT_ARCHIVED',
      'The original is archived; ask for it to be brought back first.',
    );
  const lost = await lostKeys(db, [file]);
  const made = (await listVariants(db, [file.id])).filter(
    (row) => row.name === variant && !lost.has(row.key),
  );
  const found = format === null ? made[0] : made.find((row) => row.format === format);
  if (found === undefined) throw new StorageError('NOT_FOUND', 'The photo has no such rendition.');
  return found.key;
}

/** The view of a photo that is not public, the reading of it written down. FORBIDDEN, NOT_FOUND. */
export async function privateViewKey(db: Db, who: Principal, file: FileRow): Promise<string> {
  if (!mayAccessFile(who, 'read_content', factsOf(file)))
    throw new StorageError('FORBIDDEN', 'That is not allowed to you.');
  const key = await findViewKey(db, file);
  if (key === null) throw new StorageError('NOT_FOUND', 'There is no view of this photo.');
  await recordAccess(db, { userId: who.userId, action: 'photo.view', fileId: file.id });
  return key;
}

function noPhoto(): StorageError {
  return new StorageError('NOT_FOUND', 'There is no such photo.');
}

function idOf(file: FileRow): FileId {
  return fileId(file.id);
}
