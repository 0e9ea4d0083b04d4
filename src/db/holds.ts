import { sql } from 'kysely';
import { PREFIXES } from '../domain/keys.ts';
import type { Db } from './schema.ts';

export interface Hold {
  readonly fileId: string;
  readonly reason: string;
  readonly placedBy: string;
  readonly placedAt: Date;
}

/** Places a hold. Null when one is in force already. Under the file's row lock. */
export async function placeHold(
  db: Db,
  hold: { fileId: string; reason: string; placedBy: string },
): Promise<Hold | null> {
  const row = await db
    .insertInto('holds')
    .values({ file_id: hold.fileId, reason: hold.reason, placed_by: hold.placedBy })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? null : toHold(row);
}

/** Lifts the hold in force; null when there is none. */
export async function liftHold(db: Db, fileId: string, liftedBy: string): Promise<Hold | null> {
  const row = await db
    .updateTable('holds')
    .set({ lifted_by: liftedBy, lifted_at: sql<Date>`date_trunc('milliseconds', clock_timestamp())` })
    .where('file_id', '=', fileId)
    .where('lifted_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? null : toHold(row);
}

export async function findHold(db: Db, fileId: string): Promise<Hold | null> {
  const row = await db
    .selectFrom('holds')
    .selectAll()
    .where('file_id', '=', fileId)
    .where('lifted_at', 'is', null)
    .executeTakeFirst();
  return row === undefined ? null : toHold(row);
}

export async function isHeld(db: Db, fileId: string): Promise<boolean> {
  return (await findHold(db, fileId)) !== null;
}

/** Held files whose uploaded bytes still lie in temporary storage, in the order of their ids. */
export async function listHeldInTemporary(
  db: Db,
  page: { after: string | null; limit: number },
): Promise<string[]> {
  const rows = await db
    .selectFrom('holds')
    .innerJoin('objects', 'objects.file_id', 'holds.file_id')
    .innerJoin('files', 'files.id', 'holds.file_id')
    .select('holds.file_id as id')
    .distinct()
    .where('holds.lifted_at', 'is', null)
    .where('objects.state', '=', 'live')
    .where('objects.key', 'like', `${PREFIXES.temporary}%`)
    // What is still being checked is moved by the sweep, as it is for everybody.
    .where('files.state', 'not in', ['received', 'checking'])
    .$if(page.after !== null, (query) => query.where('holds.file_id', '>', page.after ?? ''))
    .orderBy('holds.file_id')
    .limit(page.limit)
    .execute();
  return rows.map((row) => row.id);
}

function toHold(row: { file_id: string; reason: string; placed_by: string; placed_at: Date }): Hold {
  return { fileId: row.file_id, reason: row.reason, placedBy: row.placed_by, placedAt: row.placed_at };
}
