import { sql } from 'kysely';
import type { ArchiveState } from '../domain/archive-state.ts';
import type { StorageClass } from '../domain/storage-class.ts';
import type { Db, FileRow } from './schema.ts';

/** An object that a rule may be due for. */
export interface Candidate {
  readonly fileId: string;
  readonly ownerId: string;
  readonly key: string;
  readonly bytes: number;
  readonly storageClass: StorageClass;
  readonly classSince: Date;
}

/** A page of candidates, in the order of their file's id. `after`: strictly greater. */
export interface CandidatePage {
  readonly before: Date;
  readonly after: string | null;
  readonly limit: number;
}

const CANDIDATE = sql`f.id as "fileId", f.owner_id as "ownerId", o.key, o.bytes, o.storage_class as "storageClass",
  o.class_since as "classSince"`;
const FIRST = '00000000-0000-0000-0000-000000000000';

/** Originals at hand of listings that nobody has changed or looked at since then, without those under hold. */
export async function listInactiveOriginals(db: Db, page: CandidatePage): Promise<Candidate[]> {
  const { rows } = await sql<Candidate>`
    select ${CANDIDATE} from files f
    join items i on i.id = f.item_id
    join variants v on v.file_id = f.id and v.name = 'original'
    join objects o on o.key = v.key and o.state = 'live'
    where f.kind = 'item_photo' and f.archive = 'none' and f.state = 'ready' and f.id > ${page.after ?? FIRST}
      and i.last_activity_at < ${page.before} and not is_held(f.id)
      and not exists (select 1 from files p join file_views w on w.file_id = p.id
        where p.item_id = f.item_id and p.position is not null
          and w.last_viewed_at > ${page.before}::timestamptz - interval '1 day')
    order by f.id limit ${page.limit}
  `.execute(db);
  return rows;
}

/** Documents at hand that were written, or last brought back, before then, without those under hold. */
export async function listOldDocuments(db: Db, page: CandidatePage): Promise<Candidate[]> {
  const { rows } = await sql<Candidate>`
    select ${CANDIDATE} from files f
    join objects o on o.file_id = f.id and o.state = 'live'
    where f.kind = 'verification_document' and f.archive = 'none' and f.state = 'ready'
      and f.id > ${page.after ?? FIRST} and o.created_at < ${page.before} and not is_held(f.id)
    order by f.id limit ${page.limit}
  `.execute(db);
  return rows;
}

/** Objects of public profile photos in STANDARD that nobody has looked at since then. In the order of their keys. */
export async function listUnusedProfileObjects(db: Db, page: CandidatePage): Promise<Candidate[]> {
  const { rows } = await sql<Candidate>`
    select ${CANDIDATE} from objects o
    join files f on f.id = o.file_id and f.kind = 'profile_photo' and f.state = 'ready'
    left join file_views w on w.file_id = f.id
    where o.state = 'live' and o.storage_class = 'STANDARD' and o.key like 'profiles/%' and o.key > ${page.after ?? ''}
      and f.published_at < ${page.before} and not is_held(f.id)
      and (w.last_viewed_at is null or w.last_viewed_at < ${page.before}::timestamptz - interval '1 day')
    order by o.key limit ${page.limit}
  `.execute(db);
  return rows;
}

/** Refused photos, decided on before then, that still have objects and are not under hold. */
export async function listRefusedBefore(db: Db, page: CandidatePage): Promise<{ fileId: string }[]> {
  const { rows } = await sql<{ fileId: string }>`
    select f.id as "fileId" from files f
    where f.state in ('rejected', 'taken_down') and f.finished_at < ${page.before} and f.id > ${page.after ?? FIRST}
      and not is_held(f.id) and exists (select 1 from objects o where o.file_id = f.id and o.state = 'live')
    order by f.id limit ${page.limit}
  `.execute(db);
  return rows;
}

/** Originals that are being brought back. */
export async function listRestoring(
  db: Db,
  page: { after: string | null; limit: number },
): Promise<string[]> {
  const rows = await db
    .selectFrom('files')
    .select('id')
    .where('archive', '=', 'restoring')
    .where('id', '>', page.after ?? FIRST)
    .orderBy('id')
    .limit(page.limit)
    .execute();
  return rows.map((row) => row.id);
}

/** Moves on what is known of a file's archive, if it is still as expected. The database refuses an illegal step. */
export async function setArchive(
  db: Db,
  fileId: string,
  from: ArchiveState,
  to: ArchiveState,
): Promise<boolean> {
  const row = await db
    .updateTable('files')
    .set({ archive: to })
    .where('id', '=', fileId)
    .where('archive', '=', from)
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Asks for all archived originals of a listing. Resolves to their files. Under the item's lock. */
export async function wakeItem(db: Db, itemId: string): Promise<string[]> {
  const rows = await db
    .updateTable('files')
    .set({ archive: 'restoring' })
    .where('item_id', '=', itemId)
    .where('archive', '=', 'archived')
    .returning('id')
    .execute();
  return rows.map((row) => row.id);
}

/** What the rules of retention ask about a file and one of its objects, as it is now. */
export interface RetentionFacts {
  readonly bytes: number;
  readonly storageClass: StorageClass;
  readonly classSince: Date;
  readonly writtenAt: Date;
  readonly lastActivityAt: Date;
  readonly lastUsedAt: Date;
  readonly held: boolean;
}

/** Null when the object is not live. Under the file's row lock. */
export async function retentionFacts(db: Db, file: FileRow, key: string): Promise<RetentionFacts | null> {
  const { rows } = await sql<RetentionFacts>`
    select o.bytes, o.storage_class as "storageClass", o.class_since as "classSince", o.created_at as "writtenAt",
      is_held(o.file_id) as held,
      greatest(mark.at, i.last_activity_at, views.at) as "lastActivityAt",
      greatest(mark.at, f.published_at, own.last_viewed_at + interval '1 day') as "lastUsedAt"
    from objects o
    join files f on f.id = o.file_id
    join lifecycle_marks mark on mark.name = 'views_known_since'
    left join items i on i.id = f.item_id
    left join file_views own on own.file_id = f.id
    left join lateral (
      select max(w.last_viewed_at) + interval '1 day' as at from files p join file_views w on w.file_id = p.id
      where p.item_id = f.item_id and p.position is not null
    ) views on true
    where o.key = ${key} and o.file_id = ${file.id} and o.state = 'live'
  `.execute(db);
  return rows[0] ?? null;
}
