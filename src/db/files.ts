import { sql, type Updateable } from 'kysely';
import {
  type FileKind,
  type FileState,
  PLACED_STATES,
  PUBLIC_STATES,
  type Stage,
  UNFINISHED_STATES,
} from '../domain/file-state.ts';
import { anyOf } from './any-of.ts';
import { compiledOnce } from './compiled-once.ts';
import { lockItem } from './items.ts';
import { LISTED_COLUMNS } from './listed-columns.ts';
import { FILE_COLUMNS } from './row-columns.ts';
import type { Db, FileRow, FilesTable, ListedFile } from './schema.ts';

export interface NewFile {
  readonly id: string;
  readonly kind: FileKind;
  readonly itemId: string | null;
  readonly ownerId: string;
  readonly position: number | null;
  readonly filename: string;
  readonly claimedType: string | null;
  readonly claimedBytes: number | null;
  readonly claimedSha256: string | null;
  readonly deadlineAt: Date;
  readonly formExpiresAt?: Date | null;
}

/** Every file begins as pending. */
export async function insertFile(db: Db, file: NewFile): Promise<FileRow> {
  return db
    .insertInto('files')
    .values({
      id: file.id,
      kind: file.kind,
      item_id: file.itemId,
      owner_id: file.ownerId,
      stage: 'uploading',
      position: file.position,
      filename: file.filename,
      claimed_type: file.claimedType,
      claimed_bytes: file.claimedBytes,
      claimed_sha256: file.claimedSha256,
      deadline_at: file.deadlineAt,
      form_expires_at: file.formExpiresAt ?? null,
    })
    .returning(FILE_COLUMNS)
    .executeTakeFirstOrThrow();
}

export async function findFile(db: Db, id: string): Promise<FileRow | null> {
  return (await byId(db, id))[0] ?? null;
}

const byId = compiledOnce((db) => db.selectFrom('files').select(FILE_COLUMNS).where('id', '=', ''));

/**
 * Takes the file's row lock: after the item's, where both are needed. Rows that only refer to the file (its objects) may
 * still be added.
 */
export async function lockFile(db: Db, id: string): Promise<FileRow | null> {
  return (
    (await db
      .selectFrom('files')
      .select(FILE_COLUMNS)
      .where('id', '=', id)
      .forNoKeyUpdate()
      .executeTakeFirst()) ?? null
  );
}

/** Takes the locks of a file's listing and of the file, in the order in which everybody takes them. */
export async function lockFileAndItem(db: Db, id: string): Promise<FileRow | null> {
  const seen = await db.selectFrom('files').select('item_id').where('id', '=', id).executeTakeFirst();
  if (seen?.item_id != null) await lockItem(db, seen.item_id);
  return lockFile(db, id);
}

/** What must still hold for a change to be made: late work finds that it no longer does. */
export interface Premise {
  readonly id: string;
  readonly from: FileState | readonly FileState[];
  readonly generation?: number;
}

export type FileChanges = Omit<Updateable<FilesTable>, 'id' | 'state' | 'generation'>;

/** Moves a file to another state if the premise holds; null when it does not. The database refuses illegal steps. */
export async function transition(
  db: Db,
  premise: Premise,
  to: FileState,
  changes: FileChanges = {},
): Promise<FileRow | null> {
  let query = db
    .updateTable('files')
    .set({ ...changes, state: to })
    .where('id', '=', premise.id)
    .where('state', 'in', typeof premise.from === 'string' ? [premise.from] : [...premise.from]);
  if (premise.generation !== undefined) query = query.where('generation', '=', premise.generation);
  return (await query.returning(FILE_COLUMNS).executeTakeFirst()) ?? null;
}

/** Changes a file without a change of state, if the premise holds. */
export async function updateFile(db: Db, premise: Premise, changes: FileChanges): Promise<FileRow | null> {
  let query = db
    .updateTable('files')
    .set(changes)
    .where('id', '=', premise.id)
    .where('state', 'in', typeof premise.from === 'string' ? [premise.from] : [...premise.from]);
  if (premise.generation !== undefined) query = query.where('generation', '=', premise.generation);
  return (await query.returning(FILE_COLUMNS).executeTakeFirst()) ?? null;
}

/** Adds a code to what the owner is told of a file, once. */
export async function addWarning(db: Db, id: string, code: string): Promise<void> {
  await db
    .updateTable('files')
    .set({ warnings: sql<string>`warnings || to_jsonb(${code}::text)` })
    .where('id', '=', id)
    .where(sql<boolean>`not warnings ? ${code}::text`)
    .execute();
}

/** Shows the step at work. False when the work is late. */
export async function setStage(db: Db, premise: Premise, stage: Stage): Promise<boolean> {
  return (await updateFile(db, premise, { stage })) !== null;
}

/** Starts a new premise: work of the generation before is late from here on. */
export async function nextGeneration(db: Db, id: string): Promise<number> {
  const row = await db
    .updateTable('files')
    .set({ generation: sql<number>`generation + 1` })
    .where('id', '=', id)
    .returning('generation')
    .executeTakeFirstOrThrow();
  return row.generation;
}

/** Waits until no other upload of the owner is being counted against their quota. After the item's lock. */
export async function lockOwner(db: Db, ownerId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`owner:${ownerId}`}, 0))`.execute(db);
}

/** Waits until no other profile photo of the user is being published. After the file's lock. */
export async function lockProfile(db: Db, ownerId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`profile:${ownerId}`}, 0))`.execute(db);
}

/** A placed photo of the listing with the same bytes, other than `exceptId`. */
export async function findSameUpload(
  db: Db,
  itemId: string,
  uploadSha256: string,
  exceptId: string,
): Promise<FileRow | null> {
  const row = await db
    .selectFrom('files')
    .select(FILE_COLUMNS)
    .where('item_id', '=', itemId)
    .where('upload_sha256', '=', uploadSha256)
    .where('position', 'is not', null)
    .where('state', '<>', 'pending')
    .where('id', '<>', exceptId)
    .orderBy('position')
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

export interface OwnerUsage {
  readonly unfinished: number;
  /** Uploaded bytes of everything that counts. */
  readonly bytes: number;
}

export async function ownerUsage(db: Db, ownerId: string): Promise<OwnerUsage> {
  const row = await db
    .selectFrom('files')
    .select([
      sql<number>`count(*) filter (where state in (${sql.join([...UNFINISHED_STATES])}))`.as('unfinished'),
      sql<number>`coalesce(sum(coalesce(upload_bytes, claimed_bytes, 0)), 0)::bigint`.as('bytes'),
    ])
    .where('owner_id', '=', ownerId)
    .where('state', 'in', [...PLACED_STATES])
    .executeTakeFirstOrThrow();
  return row;
}

/** Files of an owner and kind in any of these states, newest first. */
export async function listOwned(
  db: Db,
  ownerId: string,
  kind: FileKind,
  states: readonly FileState[],
): Promise<FileRow[]> {
  return db
    .selectFrom('files')
    .select(FILE_COLUMNS)
    .where('owner_id', '=', ownerId)
    .where('kind', '=', kind)
    .where('state', 'in', [...states])
    .orderBy('id', 'desc')
    .execute();
}

/** Number of placed photos and the first of them that is public, by listing. */
export async function listCovers(
  db: Db,
  itemIds: readonly string[],
): Promise<{ itemId: string; count: number; coverId: string | null }[]> {
  if (itemIds.length === 0) return [];
  const rows = await db
    .selectFrom('files')
    .select([
      'item_id',
      sql<number>`count(*) filter (where state in ('published', 'ready'))`.as('count'),
      sql<
        string | null
      >`(array_agg(id order by position) filter (where state in ('published', 'ready')))[1]`.as('coverId'),
    ])
    .where('item_id', '=', anyOf(itemIds))
    .where('position', 'is not', null)
    .groupBy('item_id')
    .execute();
  return rows.flatMap((row) =>
    row.item_id === null ? [] : [{ itemId: row.item_id, count: row.count, coverId: row.coverId }],
  );
}

export async function findFiles(db: Db, ids: readonly string[]): Promise<ListedFile[]> {
  if (ids.length === 0) return [];
  return db.selectFrom('files').select(LISTED_COLUMNS).where('id', '=', anyOf(ids)).execute();
}

/** Ids of a listing's photos that are public. */
export async function listPublicOf(db: Db, itemId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('files')
    .select('id')
    .where('item_id', '=', itemId)
    // All that are public have a place, and photos with one are found by their listing.
    .where('position', 'is not', null)
    .where('state', 'in', [...PUBLIC_STATES])
    .execute();
  return rows.map(({ id }) => id);
}
