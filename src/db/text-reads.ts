import { sql } from 'kysely';
import { jsonText } from './json.ts';
import { addToOutbox } from './outbox.ts';
import type { Db } from './schema.ts';

/** Asks for the text and codes of a public photo to be read, once. In the transaction that made it ready. */
export async function askForText(db: Db, fileId: string, generation: number): Promise<void> {
  const asked = await db
    .insertInto('text_reads')
    .values({ file_id: fileId })
    .onConflict((conflict) => conflict.doNothing())
    .returning('file_id')
    .executeTakeFirst();
  if (asked !== undefined) await addToOutbox(db, 'read-text', { fileId, generation });
}

/** Whether the text of this photo is still to be read. */
export async function isTextWaiting(db: Db, fileId: string): Promise<boolean> {
  const row = await db
    .selectFrom('text_reads')
    .select('file_id')
    .where('file_id', '=', fileId)
    .where('outcome', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

export type TextOutcome =
  | {
      readonly outcome: 'read';
      readonly lines: number;
      readonly codes: number;
      readonly versions: Readonly<Record<string, string>>;
    }
  | { readonly outcome: 'given_up'; readonly note: string };

/** Ends the reading of one photo. False when it had ended already. */
export async function endText(db: Db, fileId: string, end: TextOutcome): Promise<boolean> {
  const changes = end.outcome === 'read' ? { ...end, versions: jsonText(end.versions) } : end;
  const row = await db
    .updateTable('text_reads')
    .set({ ...changes, ended_at: sql<Date>`clock_timestamp()` })
    .where('file_id', '=', fileId)
    .where('outcome', 'is', null)
    .returning('file_id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Public photos that wait to be read since then or longer: their job may be lost. Others need no reading any more. */
export async function listTextWaiting(
  db: Db,
  askedBefore: Date,
  limit: number,
): Promise<{ id: string; generation: number }[]> {
  return db
    .selectFrom('text_reads')
    .innerJoin('files', 'files.id', 'text_reads.file_id')
    .select(['files.id', 'files.generation'])
    .where('outcome', 'is', null)
    .where('asked_at', '<', askedBefore)
    .where('state', 'in', ['published', 'ready'])
    .orderBy('asked_at')
    .limit(limit)
    .execute();
}

/** Asks again, and waits as long once more before the next time. */
export async function askAgain(
  db: Db,
  { id, generation }: { id: string; generation: number },
): Promise<void> {
  await db
    .updateTable('text_reads')
    .set({ asked_at: sql<Date>`clock_timestamp()` })
    .where('file_id', '=', id)
    .execute();
  await addToOutbox(db, 'read-text', { fileId: id, generation });
}
