import { randomUUID } from 'node:crypto';
import { findFiles, listCovers, listPublicOf } from '../db/files.ts';
import { findItem, insertItem, listItems, lockItem, updateItem } from '../db/items.ts';
import { addToOutbox } from '../db/outbox.ts';
import type { Db, ItemRow } from '../db/schema.ts';
import { has, mayAccessItem, type Principal } from '../domain/access.ts';
import { StorageError } from '../domain/errors.ts';
import { isItemId, type ItemId, itemId } from '../domain/ids.ts';
import type { Item, ItemsService } from './contracts.ts';
import { cursorOf, parseCursor } from './cursor.ts';
import type { ServiceDeps } from './deps.ts';
import { bringBackListing } from './lifecycle/restore.ts';
import { deleteItemPhotos, visibleItem } from './photos/gallery.ts';
import { toPhotos } from './photos/photo-view.ts';

/** Listings as far as photos need them: LocalEx's backend owns the rest. */
export function createItemsService(deps: Pick<ServiceDeps, 'db' | 'cdn' | 'deliverNow'>): ItemsService {
  const toItems = (rows: readonly ItemRow[]) => itemsOf(deps, rows);

  return {
    async createItem(who, item) {
      const sellerId = sellerOf(who, item.sellerId);
      const id = item.id ?? itemId(randomUUID());
      const inserted = await insertItem(deps.db, {
        id,
        sellerId,
        title: item.title,
        category: item.category ?? null,
      });
      const row = inserted ?? (await findItem(deps.db, id));
      if (row === null || row.seller_id !== sellerId || row.deleted_at !== null)
        throw new StorageError('CONFLICT', 'There is another listing with this id.');
      return { item: first(await toItems([row])), created: inserted !== null };
    },

    async listItems(who, page) {
      const own =
        page.sellerId !== undefined && mayAccessItem(who, 'see_all_photos', { sellerId: page.sellerId });
      const after = page.after === undefined ? null : parseCursor(page.after, isItemId);
      const rows = await listItems(deps.db, {
        ...(page.sellerId === undefined ? {} : { sellerId: page.sellerId }),
        ...(after === null ? {} : { after: { createdAt: after.at, id: after.id } }),
        activeOnly: !own,
        limit: page.limit + 1,
      });
      const shown = rows.slice(0, page.limit);
      const last = shown.at(-1);
      const next = rows.length > page.limit && last !== undefined ? cursorOf(last.created_at, last.id) : null;
      return { items: await toItems(shown), next };
    },

    async getItem(who, id) {
      return first(await toItems([await visibleItem(deps.db, who, id)]));
    },

    async updateItem(who, id, change) {
      await assertMayEdit(deps, who, id);
      const { row, wanted } = await deps.db.transaction().execute(async (trx) => {
        await lockItem(trx, id);
        const before = await findItem(trx, id);
        const updated = await updateItem(trx, id, change);
        if (updated === null) throw new StorageError('NOT_FOUND', 'There is no such listing.');
        if (updated.category !== before?.category) await rejudgePublic(trx, id);
        // On offer again: its archived originals are wanted.
        return { row: updated, wanted: updated.status === 'active' ? await bringBackListing(trx, id) : [] };
      });
      for (const fileId of wanted) await deps.deliverNow(fileId);
      return first(await toItems([row]));
    },

    async deleteItem(who, id) {
      await deleteItemPhotos(deps, who, id, true);
    },
  };
}

/** Other rules may hold for what its photos show. */
async function rejudgePublic(trx: Db, id: ItemId): Promise<void> {
  for (const fileId of await listPublicOf(trx, id)) await addToOutbox(trx, 'rejudge', { fileId });
}

function sellerOf(who: Principal, named: string | undefined): string {
  if (named !== undefined && named !== who.userId) {
    if (has(who, 'service')) return named;
    throw new StorageError('FORBIDDEN', 'Only a service creates listings for others.');
  }
  if (!has(who, 'seller') && !has(who, 'service'))
    throw new StorageError('FORBIDDEN', 'Only sellers create listings.');
  return who.userId;
}

async function assertMayEdit(deps: Pick<ServiceDeps, 'db'>, who: Principal, id: ItemId): Promise<void> {
  const item = await visibleItem(deps.db, who, id);
  if (!mayAccessItem(who, 'edit', { sellerId: item.seller_id }))
    throw new StorageError('FORBIDDEN', 'Only the seller changes a listing.');
}

async function itemsOf(deps: Pick<ServiceDeps, 'db' | 'cdn'>, rows: readonly ItemRow[]): Promise<Item[]> {
  const covers = await listCovers(
    deps.db,
    rows.map((row) => row.id),
  );
  const coverIds = covers.flatMap((cover) => (cover.coverId === null ? [] : [cover.coverId]));
  const photos = await toPhotos(deps, await findFiles(deps.db, coverIds), false);
  return rows.map((row) => {
    const cover = covers.find((entry) => entry.itemId === row.id);
    return {
      id: row.id,
      title: row.title,
      category: row.category,
      status: row.status,
      sellerId: row.seller_id,
      photosVersion: row.photos_version,
      photoCount: cover?.count ?? 0,
      cover: photos.find((photo) => photo.id === cover?.coverId) ?? null,
      createdAt: row.created_at.toISOString(),
    };
  });
}

function first(items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined) throw new StorageError('NOT_FOUND', 'There is no such listing.');
  return item;
}
