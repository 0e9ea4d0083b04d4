import { sql } from 'kysely';
import type { Db, ItemRow } from './schema.ts';

export interface GalleryHead {
  readonly item: ItemRow;
  /** Another one after any change of the listing's placed photos or of their order; none comes twice. */
  readonly stamp: string;
  /** No photo has lost bytes: which ones it has lost stands in other rows than its own. */
  readonly isWhole: boolean;
}

/**
 * A listing with what tells whether its gallery has changed: much less than the gallery is. A row has another `xmin` after each
 * transaction that wrote it (PostgreSQL manual, "System Columns"); its time keeps rows of a restored database apart from
 * those they were.
 */
export async function findGallery(db: Db, itemId: string): Promise<GalleryHead | null> {
  const row = await db
    .selectFrom('items')
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom('files')
          .select([
            sql<string>`encode(sha256(convert_to(string_agg(
              concat_ws(' ', files.id, files.xmin, extract(epoch from files.updated_at)), ',' order by files.position
            ), 'UTF8')), 'base64')`.as('stamp'),
            sql<boolean>`bool_and(not files.warnings ? 'DAMAGED')`.as('is_whole'),
          ])
          .whereRef('files.item_id', '=', 'items.id')
          .where('files.position', 'is not', null)
          .as('placed'),
      (join) => join.onTrue(),
    )
    .selectAll('items')
    .select(['placed.stamp', 'placed.is_whole'])
    .where('items.id', '=', itemId)
    .executeTakeFirst();
  if (row === undefined) return null;
  const { stamp, is_whole: isWhole, ...item } = row;
  return { item, stamp: stamp ?? '', isWhole: isWhole ?? true };
}
