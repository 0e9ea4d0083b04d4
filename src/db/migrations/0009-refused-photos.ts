import { type Kysely, sql } from 'kysely';

/**
 * Owners see the refused photos of a listing in its gallery. They have no position, so that none of the listing's indexes
 * held them, and finding them read the whole table. The index holds only such photos: those who upload do not pay for it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create index files_unplaced on files (item_id, id) where state in ('rejected', 'failed', 'taken_down')`,
    )
    .execute(db);
}
