import { sql } from 'kysely';
import type { Db, FileRow } from './schema.ts';

/** A photo that ends the process which looks at it is given up after so many attempts. */
export const MOST_ATTEMPTS = 3;

/** Photos whose ban waits for a fingerprint, those that were given up left out. */
export async function listUnprintedBans(db: Db, limit: number): Promise<FileRow[]> {
  return db
    .selectFrom('files')
    .innerJoin('banned_pictures as b', 'b.file_id', 'files.id')
    .selectAll('files')
    .where('b.is_waiting', '=', true)
    .where('files.id', 'not in', givenUp(db))
    .orderBy('b.id')
    .limit(limit)
    .execute();
}

/** Counts an attempt before it is made, so that one that ends this process counts too. Returns the number, from 1. */
export async function noteAttempt(db: Db, fileId: string): Promise<number> {
  const row = await db
    .insertInto('fingerprint_attempts')
    .values({ file_id: fileId, attempts: 1 })
    .onConflict((conflict) =>
      conflict
        .column('file_id')
        .doUpdateSet({ attempts: sql<number>`least(fingerprint_attempts.attempts + 1, 1000)` }),
    )
    .returning('attempts')
    .executeTakeFirstOrThrow();
  return row.attempts;
}

export async function forgetAttempts(db: Db, fileId: string): Promise<void> {
  await db.deleteFrom('fingerprint_attempts').where('file_id', '=', fileId).execute();
}

/** Whether an upload has been worked on within the last seconds. */
export async function isAtWork(db: Db): Promise<boolean> {
  const row = await db
    .selectFrom('files')
    .select('id')
    .where('state', 'in', ['received', 'checking', 'published'])
    .where('updated_at', '>', sql<Date>`now() - interval '10 seconds'`)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

function givenUp(db: Db) {
  return db.selectFrom('fingerprint_attempts').select('file_id').where('attempts', '>=', MOST_ATTEMPTS);
}

/** Public photos without a fingerprint behind the place that was reached, in order. Null when that is over. */
export async function listUnprinted(db: Db, limit: number): Promise<FileRow[] | null> {
  const place = await db.selectFrom('fingerprint_backfill').select('after_id').executeTakeFirst();
  if (place === undefined) return null;
  return db
    .selectFrom('files')
    .selectAll()
    .where('id', '>', place.after_id)
    .where('state', 'in', ['published', 'ready'])
    .where('kind', '<>', 'verification_document')
    .where('id', 'not in', givenUp(db))
    .where((eb) =>
      eb.not(
        eb.exists(
          eb.selectFrom('fingerprints').select('id').whereRef('fingerprints.file_id', '=', 'files.id'),
        ),
      ),
    )
    .orderBy('id')
    .limit(limit)
    .execute();
}

export async function moveBackfill(db: Db, afterId: string): Promise<void> {
  await db
    .updateTable('fingerprint_backfill')
    .set({ after_id: sql<string>`greatest(after_id, ${afterId}::uuid)` })
    .execute();
}

export async function endBackfill(db: Db): Promise<void> {
  await db.deleteFrom('fingerprint_backfill').execute();
}
