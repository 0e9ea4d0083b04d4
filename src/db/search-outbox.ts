import { sql } from 'kysely';
import type { Db } from './schema.ts';

/** A photo whose document is to be written anew, and the rows that say so. */
export interface ChangedPhoto {
  readonly fileId: string;
  readonly rows: readonly number[];
}

/** Photos that have changed, the longest waiting first, from `limit` rows at most. They stay until `forgetChanges`. */
export async function listChanges(db: Db, limit: number): Promise<ChangedPhoto[]> {
  const rows = await db
    .selectFrom('search_outbox')
    .select(['id', 'file_id'])
    .where('available_at', '<=', sql<Date>`now()`)
    .orderBy('available_at')
    .orderBy('id')
    .limit(limit)
    .execute();
  return [...Map.groupBy(rows, (row) => row.file_id)].map(([fileId, of]) => ({
    fileId,
    rows: of.map((row) => row.id),
  }));
}

/** Removes rows whose photos are in the index as they were when the rows were read, or later. */
export async function forgetChanges(db: Db, rows: readonly number[]): Promise<void> {
  if (rows.length === 0) return;
  await db
    .deleteFrom('search_outbox')
    .where('id', 'in', [...rows])
    .execute();
}

/** Keeps rows that the engine refuses, to be tried again after `delaySeconds`. */
export async function putChangesAside(
  db: Db,
  rows: readonly number[],
  refusal: string,
  delaySeconds: number,
): Promise<void> {
  if (rows.length === 0) return;
  await db
    .updateTable('search_outbox')
    .set({ refusal, available_at: sql<Date>`now() + make_interval(secs => ${delaySeconds})` })
    .where('id', 'in', [...rows])
    .execute();
}

/** How much waits: rows, of them those that were refused, and since when the oldest does. */
export async function waitingChanges(db: Db): Promise<{ waiting: number; refused: number }> {
  const row = await db
    .selectFrom('search_outbox')
    .select([
      sql<number>`count(*)`.as('waiting'),
      sql<number>`count(*) filter (where refusal is not null)`.as('refused'),
    ])
    .executeTakeFirstOrThrow();
  return row;
}

/**
 * A number greater than every one before. A document that is read from the rows after its version was taken is at least as
 * new as every document with a lower version: so the highest version in the index is always the last state.
 */
export async function nextSearchVersion(db: Db): Promise<number> {
  const { rows } = await sql<{ version: number }>`select nextval('search_versions') as version`.execute(db);
  return rows[0]?.version ?? 0;
}

/** Versions go on above this: those of a database that was put back would be lower than what is in the index. */
export async function raiseSearchVersions(db: Db, above: number): Promise<void> {
  await sql`
    select setval('search_versions', ${above}) from search_versions where last_value < ${above}
  `.execute(db);
}
