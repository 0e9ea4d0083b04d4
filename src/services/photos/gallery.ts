import { lockFile } from '../../db/files.ts';
import { findGallery } from '../../db/galleries.ts';
import { bumpPhotosVersion, findItem, lockItem, markItemDeleted } from '../../db/items.ts';
import { listPlaced, listUnplaced, writeOrder } from '../../db/positions.ts';
import type { Db, ItemRow, ListedFile } from '../../db/schema.ts';
import { mayAccessItem, maySeeItem, type Principal } from '../../domain/access.ts';
import { StorageError } from '../../domain/errors.ts';
import { isPublic } from '../../domain/file-state.ts';
import type { FileId, ItemId } from '../../domain/ids.ts';
import { suggestCover } from '../../domain/photo-coach.ts';
import type { Gallery } from '../contracts.ts';
import type { ServiceDeps } from '../deps.ts';
import { bringBackListing } from '../lifecycle/restore.ts';
import { remove } from '../removal.ts';
import { publicPhotos } from './cached-gallery.ts';
import { toPhotos } from './photo-view.ts';

/** Refused photos that a gallery shows its owner: the newest. */
const SHOWN_UNPLACED = 50;
/** Refused photos that leave with a listing; any more are left to the next call. */
const REMOVED_UNPLACED = 10_000;

/** Photos of a listing in order; without rights on it only those that are public. */
export async function getItemPhotos(
  deps: Pick<ServiceDeps, 'db' | 'cdn' | 'cache'>,
  who: Principal | null,
  itemId: ItemId,
): Promise<Gallery> {
  const head = await findGallery(deps.db, itemId);
  const item = visible(head?.item ?? null, who);
  const { photos_version: version } = item;
  if (head !== null && !mayAccessItem(who, 'see_all_photos', { sellerId: item.seller_id })) {
    const make = async () => {
      const placed = await listPlaced(deps.db, itemId);
      return toPhotos(
        deps,
        placed.filter((file) => isPublic(file.state)),
        false,
      );
    };
    return { photos: await publicPhotos(deps, head, make), version, suggestedCover: null };
  }
  const placed = await listPlaced(deps.db, itemId);
  const files = [...placed, ...(await listUnplaced(deps.db, itemId, SHOWN_UNPLACED))];
  return { photos: await toPhotos(deps, files, true), version, suggestedCover: coverOf(placed) };
}

function coverOf(placed: readonly ListedFile[]): string | null {
  const shown = placed.filter((file) => isPublic(file.state));
  return suggestCover(shown.map(({ id, cover_score: score }) => ({ id, score })))?.id ?? null;
}

/** The listing, if the caller may see it. NOT_FOUND also for a draft or a withdrawn one of somebody else. */
export async function visibleItem(db: Db, who: Principal | null, id: ItemId): Promise<ItemRow> {
  return visible(await findItem(db, id), who);
}

function visible(item: ItemRow | null, who: Principal | null): ItemRow {
  if (item === null || item.deleted_at !== null) throw noListing();
  if (!maySeeItem(who, { sellerId: item.seller_id, status: item.status })) throw noListing();
  return item;
}

/** Writes a new order, all or nothing. */
export async function reorderPhotos(
  deps: Pick<ServiceDeps, 'db' | 'cdn' | 'cache'>,
  who: Principal,
  itemId: ItemId,
  order: readonly FileId[],
  ifVersion: number | null,
): Promise<Gallery> {
  await deps.db.transaction().execute(async (trx) => {
    const item = await lockItem(trx, itemId);
    if (item === null || item.deleted_at !== null) throw noListing();
    assertMayEdit(who, item);
    if (ifVersion !== null && ifVersion !== item.photos_version)
      throw new StorageError('VERSION_CONFLICT', 'The photos were changed meanwhile; load them again.');
    const placed = new Set((await listPlaced(trx, itemId)).map((file) => file.id));
    if (
      placed.size !== order.length ||
      new Set(order).size !== order.length ||
      order.some((id) => !placed.has(id))
    )
      throw new StorageError('INVALID_REQUEST', 'The order must name each photo that has a position once.');
    await writeOrder(trx, itemId, order);
    await bumpPhotosVersion(trx, itemId);
    if (item.status === 'active') await bringBackListing(trx, itemId);
  });
  return getItemPhotos(deps, who, itemId);
}

/** Deletes all photos of a listing, and the listing itself when asked. Returns how many photos there were. */
export async function deleteItemPhotos(
  deps: Pick<ServiceDeps, 'db' | 'deliverNow'>,
  who: Principal,
  itemId: ItemId,
  andItem = false,
): Promise<number> {
  const removed = await deps.db.transaction().execute(async (trx) => {
    const item = await lockItem(trx, itemId);
    if (item === null || item.deleted_at !== null) throw noListing();
    assertMayEdit(who, item);
    const ids = [
      ...(await listPlaced(trx, itemId)),
      ...(await listUnplaced(trx, itemId, REMOVED_UNPLACED)),
    ].map((file) => file.id);
    // From the last to the first, so that no position is closed twice.
    for (const id of ids.toReversed()) {
      const file = await lockFile(trx, id);
      if (file !== null) await remove(trx, file);
    }
    if (andItem) await markItemDeleted(trx, itemId);
    return ids;
  });
  for (const id of removed) await deps.deliverNow(id);
  return removed.length;
}

/** Errors: NOT_FOUND for a listing that the caller may not even see, FORBIDDEN. */
function assertMayEdit(who: Principal, item: ItemRow): void {
  if (!maySeeItem(who, { sellerId: item.seller_id, status: item.status })) throw noListing();
  if (!mayAccessItem(who, 'edit', { sellerId: item.seller_id }))
    throw new StorageError('FORBIDDEN', 'Only the seller of a listing changes its photos.');
}

function noListing(): StorageError {
  return new StorageError('NOT_FOUND', 'There is no such listing.');
}
