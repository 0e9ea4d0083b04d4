import { type FileState, UNFINISHED_STATES } from '../domain/file-state.ts';
import type { Db, FileRow } from './schema.ts';

/** Unfinished files whose deadline has passed. */
export async function listOverdue(db: Db, now: Date, limit: number): Promise<FileRow[]> {
  return db
    .selectFrom('files')
    .selectAll()
    .where('state', 'in', [...UNFINISHED_STATES])
    .where('deadline_at', '<', now)
    .orderBy('deadline_at')
    .limit(limit)
    .execute();
}

/** Files in one of these states that nothing has touched since then: their job may be lost. */
export async function listQuiet(
  db: Db,
  states: readonly FileState[],
  untouchedSince: Date,
  limit: number,
): Promise<FileRow[]> {
  return db
    .selectFrom('files')
    .selectAll()
    .where('state', 'in', [...states])
    .where('updated_at', '<', untouchedSince)
    .orderBy('updated_at')
    .limit(limit)
    .execute();
}

/** Reserved photos, untouched since then, whose bytes may have arrived without anybody telling. */
export async function listUncompleted(db: Db, untouchedSince: Date, limit: number): Promise<FileRow[]> {
  return db
    .selectFrom('files')
    .selectAll()
    .where('state', '=', 'pending')
    .where((eb) => eb.or([eb('upload_etag', 'is not', null), eb('claimed_bytes', 'is not', null)]))
    .where('kind', '<>', 'verification_document')
    .where('updated_at', '<', untouchedSince)
    .orderBy('updated_at')
    .limit(limit)
    .execute();
}

/** Files past their reservation whose forms ended before then: whatever came by one is to be removed. */
export async function listEndedForms(db: Db, before: Date, limit: number): Promise<FileRow[]> {
  return db
    .selectFrom('files')
    .selectAll()
    .where('form_expires_at', '<', before)
    .where('state', '<>', 'pending')
    .orderBy('form_expires_at')
    .limit(limit)
    .execute();
}

/** Files on their way out, untouched since then, of which nothing is left in the store. */
export async function listEmptied(db: Db, untouchedSince: Date, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('files')
    .select('id')
    .where('state', '=', 'deleting')
    .where('updated_at', '<', untouchedSince)
    .where((eb) =>
      eb.not(eb.exists(eb.selectFrom('objects').select('key').whereRef('objects.file_id', '=', 'files.id'))),
    )
    .orderBy('updated_at')
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

/** Photos that arrived before then and are still being checked. */
export async function listReceivedBefore(db: Db, before: Date, limit: number): Promise<FileRow[]> {
  return db
    .selectFrom('files')
    .selectAll()
    .where('state', 'in', ['received', 'checking'])
    .where('kind', '<>', 'verification_document')
    .where('received_at', '<', before)
    .orderBy('received_at')
    .limit(limit)
    .execute();
}
