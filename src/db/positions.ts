import { sql } from 'kysely';
import { compiledOnce } from './compiled-once.ts';
import { LISTED_COLUMNS } from './listed-columns.ts';
import type { Db, ListedFile } from './schema.ts';

/** The first free position of a listing. Under the item's lock. */
export async function nextPosition(db: Db, itemId: string): Promise<number> {
  const row = await db
    .selectFrom('files')
    .select(({ fn }) => fn.max('position').as('last'))
    .where('item_id', '=', itemId)
    .where('position', 'is not', null)
    .executeTakeFirst();
  return (row?.last ?? -1) + 1;
}

/** Keeps positions dense after one was given up. Under the item's lock. */
export async function closeGap(db: Db, itemId: string, position: number): Promise<void> {
  await db
    .updateTable('files')
    .set({ position: sql<number>`position - 1` })
    .where('item_id', '=', itemId)
    .where('position', '>', position)
    .execute();
}

/** Writes a whole order at once. Under the item's lock. */
export async function writeOrder(db: Db, itemId: string, order: readonly string[]): Promise<void> {
  await sql`
    update files set position = ordered.position - 1
    from unnest(${sql.val([...order])}::uuid[]) with ordinality as ordered(id, position)
    where files.id = ordered.id and files.item_id = ${itemId} and files.position is distinct from ordered.position - 1
  `.execute(db);
}

/** Photos with a place, in order. */
export async function listPlaced(db: Db, itemId: string): Promise<ListedFile[]> {
  return placed(db, itemId);
}

const placed = compiledOnce((db) =>
  db
    .selectFrom('files')
    .select(LISTED_COLUMNS)
    .where('item_id', '=', '')
    .where('position', 'is not', null)
    .orderBy('position'),
);

/** Photos without a place that their owner should still see: refused, failed, taken down. Newest first. */
export async function listUnplaced(db: Db, itemId: string, limit: number): Promise<ListedFile[]> {
  return db
    .selectFrom('files')
    .select(LISTED_COLUMNS)
    .where('item_id', '=', itemId)
    .where('state', 'in', ['rejected', 'failed', 'taken_down'])
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}
