import { insertFile, lockOwner, ownerUsage } from '../../db/files.ts';
import { bumpPhotosVersion, lockItem } from '../../db/items.ts';
import { announceObjects } from '../../db/objects.ts';
import { nextPosition } from '../../db/positions.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { mayAccessItem, mayActForUser, maySeeItem, type Principal } from '../../domain/access.ts';
import { StorageError } from '../../domain/errors.ts';
import type { FileKind } from '../../domain/file-state.ts';
import type { FileId, ItemId, UserId } from '../../domain/ids.ts';
import { cutoff, RETENTION } from '../../domain/retention.ts';
import type { ServiceDeps } from '../deps.ts';
import { bringBackListing } from '../lifecycle/restore.ts';
import { newFileId } from '../new-id.ts';
import { storedKey } from './stored-key.ts';

export interface ReservationRequest {
  readonly kind: FileKind;
  readonly target: { readonly itemId: ItemId } | { readonly userId: UserId };
  readonly filename: string;
  /** The media type that the bytes must turn out to have; null: any that is accepted. */
  readonly type: string | null;
  readonly bytes: number | null;
  readonly sha256: string | null;
  /** How long the bytes may take to arrive. */
  readonly seconds: number;
  /** How long a form works by which they come past us; null when there is none. */
  readonly formSeconds: number | null;
}

/**
 * Makes the row of a file before its bytes come: position, quota and access are settled here. The temporary object is
 * named before it is written. Errors: NOT_FOUND, FORBIDDEN, FILE_TOO_LARGE, QUOTA_EXCEEDED.
 */
export async function reserve(
  deps: Pick<ServiceDeps, 'db' | 'limits' | 'clock'>,
  who: Principal,
  request: ReservationRequest,
): Promise<FileRow> {
  const { limits } = deps;
  if (request.bytes !== null && request.bytes > limits.maxFileSize) throw tooLarge(limits.maxFileSize);
  return deps.db.transaction().execute(async (trx) => {
    const place =
      'itemId' in request.target
        ? await placeInItem(trx, who, request.target.itemId, limits, sleeping(deps.clock.now()))
        : null;
    const ownerId = place?.ownerId ?? ownerOf(who, request.target);
    await assertQuota(trx, ownerId, request.bytes ?? 0, limits);
    const id: FileId = newFileId();
    const file = await insertFile(trx, {
      id,
      kind: request.kind,
      itemId: 'itemId' in request.target ? request.target.itemId : null,
      ownerId,
      position: place?.position ?? null,
      filename: storedFilename(request.filename, limits.maxFilenameLength),
      claimedType: request.type,
      claimedBytes: request.bytes,
      claimedSha256: request.sha256,
      deadlineAt: inSeconds(deps, request.seconds),
      formExpiresAt: request.formSeconds === null ? null : inSeconds(deps, request.formSeconds),
    });
    await announceObjects(trx, id, [storedKey(file)]);
    return file;
  });
}

function inSeconds({ clock }: Pick<ServiceDeps, 'clock'>, seconds: number): Date {
  return new Date(clock.now().getTime() + seconds * 1000);
}

/** Nothing of a listing that was active since then is archived, so that nothing has to be looked for. */
function sleeping(now: Date): Date {
  return cutoff({ days: RETENTION['item-originals-archive'].days / 2 }, now);
}

export function tooLarge(maxBytes: number): StorageError {
  const megabytes = Math.floor(maxBytes / (1024 * 1024));
  return new StorageError('FILE_TOO_LARGE', `The file is larger than ${megabytes} MB.`);
}

async function placeInItem(
  db: Db,
  who: Principal,
  itemId: ItemId,
  limits: ServiceDeps['limits'],
  sleepsSince: Date,
) {
  const item = await lockItem(db, itemId);
  const isThere = item !== null && item.deleted_at === null;
  if (!isThere || !maySeeItem(who, { sellerId: item.seller_id, status: item.status }))
    throw new StorageError('NOT_FOUND', 'There is no such listing.');
  if (!mayAccessItem(who, 'add_photo', { sellerId: item.seller_id }))
    throw new StorageError('FORBIDDEN', 'Only the seller of a listing adds photos to it.');
  const position = await nextPosition(db, itemId);
  if (position >= limits.photosPerItem)
    throw new StorageError('QUOTA_EXCEEDED', `A listing has at most ${limits.photosPerItem} photos.`);
  await bumpPhotosVersion(db, itemId);
  if (item.last_activity_at < sleepsSince) await bringBackListing(db, itemId);
  return { ownerId: item.seller_id, position };
}

function ownerOf(who: Principal, target: ReservationRequest['target']): string {
  if (!('userId' in target) || !mayActForUser(who, target.userId))
    throw new StorageError('FORBIDDEN', 'Only the user may do that.');
  return target.userId;
}

async function assertQuota(
  db: Db,
  ownerId: string,
  bytes: number,
  limits: ServiceDeps['limits'],
): Promise<void> {
  await lockOwner(db, ownerId);
  const usage = await ownerUsage(db, ownerId);
  if (usage.unfinished >= limits.unfinishedPerOwner)
    throw new StorageError('QUOTA_EXCEEDED', 'Too many uploads are on their way; wait until some are done.', {
      retryAfter: 10,
    });
  if (usage.bytes + bytes > limits.bytesPerOwner)
    throw new StorageError('QUOTA_EXCEEDED', 'Your storage is used up; delete photos you no longer need.');
}

/** The name as text to show: no folders, no control or direction-changing characters, at most `maxLength` characters. */
export function storedFilename(claimed: string, maxLength: number): string {
  const base = claimed.split(/[/\\]/).at(-1) ?? '';
  // Control characters, line breaks, and the marks that change the direction of text (a "gpj.exe" shown as "exe.jpg").
  const visible = base
    .replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '')
    .trim();
  const cut = [...visible].slice(0, maxLength).join('').trimEnd();
  return cut === '' || cut === '.' || cut === '..' ? 'photo' : cut;
}
