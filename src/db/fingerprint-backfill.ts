import { sql } from 'kysely';
import type { Db, FileRow } from './schema.ts';

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
