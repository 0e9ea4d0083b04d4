import { sql } from 'kysely';
import { compiledOnce } from './compiled-once.ts';
import { ITEM_COLUMNS } from './row-columns.ts';
import type { Db, ItemRow } from './schema.ts';

export async function insertItem(
  db: Db,
  item: { id: string; sellerId: string; title: string; category: string | null },
): Promise<ItemRow | null> {
  const row = await db
    .insertInto('items')
    .values({ id: item.id, seller_id: item.sellerId, title: item.title, category: item.category })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning(ITEM_COLUMNS)
    .executeTakeFirst();
  return row ?? null;
}

/** The listing, also one that is deleted. */
export async function findItem(db: Db, id: string): Promise<ItemRow | null> {
  return (await byId(db, id))[0] ?? null;
}

const byId = compiledOnce((db) => db.selectFrom('items').select(ITEM_COLUMNS).where('id', '=', ''));

/**
 * Takes the listing's row lock. Whatever changes places in a listing holds it, and takes it before the lock of any
 * file, so that no two of them can wait for each other.
 */
export async function lockItem(db: Db, id: string): Promise<ItemRow | null> {
  return (
    (await db
      .selectFrom('items')
      .select(ITEM_COLUMNS)
      .where('id', '=', id)
      .forNoKeyUpdate()
      .executeTakeFirst()) ?? null
  );
}

export interface ItemPage {
  readonly sellerId?: string;
  /** Only what buyers may see. */
  readonly activeOnly: boolean;
  /** Keyset: strictly older than this. */
  readonly after?: { createdAt: Date; id: string };
  readonly limit: number;
}

/** Newest first. */
export async function listItems(db: Db, page: ItemPage): Promise<ItemRow[]> {
  let query = db.selectFrom('items').select(ITEM_COLUMNS).where('deleted_at', 'is', null);
  if (page.sellerId !== undefined) query = query.where('seller_id', '=', page.sellerId);
  if (page.activeOnly) query = query.where('status', '=', 'active');
  const { after } = page;
  if (after !== undefined)
    query = query.where((eb) =>
      eb.or([
        eb('created_at', '<', after.createdAt),
        eb.and([eb('created_at', '=', after.createdAt), eb('id', '>', after.id)]),
      ]),
    );
  return query.orderBy('created_at', 'desc').orderBy('id').limit(page.limit).execute();
}

export async function updateItem(
  db: Db,
  id: string,
  change: { title?: string; category?: string | null; status?: ItemRow['status'] },
): Promise<ItemRow | null> {
  const row = await db
    .updateTable('items')
    .set({ ...change, updated_at: sql<Date>`now()`, last_activity_at: sql<Date>`now()` })
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .returning(ITEM_COLUMNS)
    .executeTakeFirst();
  return row ?? null;
}

/** Marks a change of order or membership and returns the new version. */
export async function bumpPhotosVersion(db: Db, id: string): Promise<number> {
  const row = await db
    .updateTable('items')
    .set({
      photos_version: sql<number>`photos_version + 1`,
      updated_at: sql<Date>`now()`,
      last_activity_at: sql<Date>`now()`,
    })
    .where('id', '=', id)
    .returning('photos_version')
    .executeTakeFirstOrThrow();
  return row.photos_version;
}

/** Somebody cares for the listing again, without a change of it. */
export async function touchItem(db: Db, id: string): Promise<void> {
  await db.updateTable('items').set({ last_activity_at: sql<Date>`now()` }).where('id', '=', id).execute();
}

export async function markItemDeleted(db: Db, id: string): Promise<void> {
  await db
    .updateTable('items')
    .set({ deleted_at: sql<Date>`now()`, updated_at: sql<Date>`now()` })
    .where('id', '=', id)
    .execute();
}
