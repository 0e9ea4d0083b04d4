import { sql } from 'kysely';
import { StorageError } from '../domain/errors.ts';
import { UNFINISHED_STATES } from '../domain/file-state.ts';
import { PREFIXES } from '../domain/keys.ts';
import type { StorageClass } from '../domain/storage-class.ts';
import { anyOf } from './any-of.ts';
import { jsonText } from './json.ts';
import type { Db } from './schema.ts';

/** Uploaded bytes of a file under legal hold stay. */
const MAY_GO = sql<boolean>`not (
  storage_prefix(key) in ('temp/uploads', 'quarantine/raw') and state = 'live' and is_held(file_id))`;

/** Names keys before they are written, so that a crash between leaves nothing unnamed. */
export async function announceObjects(db: Db, fileId: string, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await db
    .insertInto('objects')
    .values(keys.map((key) => ({ key, file_id: fileId, state: 'writing' as const })))
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({
        // A key that was to be removed is wanted again; one that a row stands on stays as it is.
        state: sql<
          'writing' | 'live'
        >`case when objects.state = 'deleting' then 'writing' else objects.state end`,
        storage_class: sql<StorageClass>`case when objects.state = 'deleting' then 'STANDARD' else objects.storage_class end`,
        updated_at: sql<Date>`now()`,
      }),
    )
    .execute();
}

/**
 * The keys are what a committed row stands on. Their sizes are those of the rows of their renditions or of the upload,
 * which are written first; `sizes` names others, by key. Throws STORAGE_UNAVAILABLE (try again) when one of them was
 * condemned after it was announced: its bytes may be gone.
 */
export async function settleObjects(
  db: Db,
  keys: readonly string[],
  sizes: Readonly<Record<string, number>> = {},
): Promise<void> {
  if (keys.length === 0) return;
  const settled = await db
    .updateTable('objects')
    .set({
      state: 'live',
      bytes: sql<number>`coalesce(
        (${jsonText(sizes)}::jsonb ->> objects.key)::bigint,
        (select v.bytes from variants v where v.key = objects.key),
        nullif(objects.bytes, 0),
        (select f.upload_bytes from files f where f.id = objects.file_id),
        0)`,
      updated_at: sql<Date>`now()`,
    })
    .where('key', '=', anyOf(keys))
    .where('state', '<>', 'deleting')
    .returning('key')
    .execute();
  if (settled.length < keys.length)
    throw new StorageError('STORAGE_UNAVAILABLE', undefined, {
      details: { condemned: keys.filter((key) => !settled.some((row) => row.key === key)) },
    });
}

/**
 * The keys are to be removed from the store after this transaction. Returns those that were named. Uploaded bytes of a
 * file under legal hold stay as they are.
 */
export async function condemnObjects(db: Db, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const rows = await db
    .updateTable('objects')
    .set({ state: 'deleting', updated_at: sql<Date>`now()` })
    .where('key', '=', anyOf(keys))
    .where(MAY_GO)
    .returning('key')
    .execute();
  return rows.map((row) => row.key);
}

/** Condemns all of a file's temporary objects but those in `keep`. Returns the keys that are to be removed. */
export async function condemnTemporary(
  db: Db,
  fileId: string,
  keep: readonly string[] = [],
): Promise<string[]> {
  let query = db
    .updateTable('objects')
    .set({ state: 'deleting', updated_at: sql<Date>`now()` })
    .where('file_id', '=', fileId)
    .where('key', 'like', `${PREFIXES.temporary}%`)
    .where(MAY_GO);
  if (keep.length > 0) query = query.where('key', 'not in', [...keep]);
  const rows = await query.returning('key').execute();
  return rows.map((row) => row.key);
}

/**
 * Condemns keys that were written too late, also those that nobody names any more because their file was deleted
 * meanwhile. What a row stands on stays. Returns the keys that are to be removed.
 */
export async function condemnLate(db: Db, fileId: string, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const rows = await db
    .insertInto('objects')
    .values(keys.map((key) => ({ key, file_id: fileId, state: 'deleting' as const })))
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({ state: 'deleting', updated_at: sql<Date>`now()` })
        .where('objects.state', '<>', 'live'),
    )
    .returning('key')
    .execute();
  return rows.map((row) => row.key);
}

/** All keys of a file, by state. */
export async function listObjects(db: Db, fileId: string): Promise<{ key: string; state: string }[]> {
  return db.selectFrom('objects').select(['key', 'state']).where('file_id', '=', fileId).execute();
}

/**
 * Of these keys, those that are still to be removed, locked until the transaction ends: whoever wants one of them again
 * waits until it is gone from the store.
 */
export async function lockCondemned(db: Db, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const rows = await db
    .selectFrom('objects')
    .select('key')
    .where('key', '=', anyOf(keys))
    .where('state', '=', 'deleting')
    .forUpdate()
    .execute();
  return rows.map((row) => row.key);
}

/** Of these keys, those that are announced and not yet stood on. */
export async function listWritten(db: Db, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const rows = await db
    .selectFrom('objects')
    .select('key')
    .where('key', '=', anyOf(keys))
    .where('state', '=', 'writing')
    .execute();
  return rows.map((row) => row.key);
}

/** Whether a key of the file that begins so was announced within the last `seconds`, and is neither stood on nor given up. */
export async function isWriting(db: Db, fileId: string, prefix: string, seconds: number): Promise<boolean> {
  const row = await db
    .selectFrom('objects')
    .select('key')
    .where('file_id', '=', fileId)
    .where('state', '=', 'writing')
    .where(sql<boolean>`starts_with(key, ${prefix})`)
    .where('updated_at', '>', sql<Date>`now() - make_interval(secs => ${seconds})`)
    .executeTakeFirst();
  return row !== undefined;
}

/** Marks condemned keys as asked for again. Returns those that are still condemned. */
export async function touchCondemned(db: Db, keys: readonly string[]): Promise<string[]> {
  const rows = await db
    .updateTable('objects')
    .set({ updated_at: sql<Date>`now()` })
    .where('key', '=', anyOf(keys))
    .where('state', '=', 'deleting')
    .returning('key')
    .execute();
  return rows.map((row) => row.key);
}

/** The store no longer has them. */
export async function forgetObjects(db: Db, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await db.deleteFrom('objects').where('key', '=', anyOf(keys)).where('state', '=', 'deleting').execute();
}

/** The row of an object whose bytes are named by another key now. */
export async function dropRow(db: Db, key: string): Promise<void> {
  await db.deleteFrom('objects').where('key', '=', key).execute();
}

/** Keys announced before `before` that no row came to stand on, of files that nobody works on any more. */
export async function listAbandoned(
  db: Db,
  before: Date,
  limit: number,
): Promise<{ key: string; fileId: string }[]> {
  return db
    .selectFrom('objects')
    .innerJoin('files', 'files.id', 'objects.file_id')
    .select(['key', 'file_id as fileId'])
    .where('objects.state', '=', 'writing')
    .where('objects.updated_at', '<', before)
    .where('files.state', 'not in', [...UNFINISHED_STATES])
    .orderBy('objects.updated_at')
    .limit(limit)
    .execute();
}

/** Files that have objects left to remove since before then: their outbox row may have been lost. */
export async function listUnremoved(
  db: Db,
  before: Date,
  limit: number,
): Promise<{ key: string; fileId: string }[]> {
  return db
    .selectFrom('objects')
    .select(['key', 'file_id as fileId'])
    .where('state', '=', 'deleting')
    .where('updated_at', '<', before)
    .orderBy('updated_at')
    .limit(limit)
    .execute();
}

/** The object lies in another class of the store now. */
export async function setStorageClass(db: Db, key: string, storageClass: StorageClass): Promise<void> {
  await db
    .updateTable('objects')
    .set({ storage_class: storageClass, class_since: sql<Date>`now()` })
    .where('key', '=', key)
    .execute();
}

/** The class that the row of a live object names; null when there is none. */
export async function findStorageClass(db: Db, key: string): Promise<StorageClass | null> {
  const row = await db
    .selectFrom('objects')
    .select('storage_class')
    .where('key', '=', key)
    .where('state', '=', 'live')
    .executeTakeFirst();
  return row?.storage_class ?? null;
}

/** The file that a key belongs to; null when no row names it. */
export async function findObjectOwner(db: Db, key: string): Promise<string | null> {
  const row = await db.selectFrom('objects').select('file_id').where('key', '=', key).executeTakeFirst();
  return row?.file_id ?? null;
}

/** Whether a committed row stands on the key (`live`), somebody writes it, or it is not there or to be removed (`gone`). */
export async function standingOf(db: Db, key: string): Promise<'live' | 'writing' | 'gone'> {
  const row = await db.selectFrom('objects').select('state').where('key', '=', key).executeTakeFirst();
  return row === undefined || row.state === 'deleting' ? 'gone' : row.state;
}
