import { sql } from 'kysely';
import { anyOf } from './any-of.ts';
import type { Db } from './schema.ts';

/** When an object was last read, or tried, that has waited longest for it; null when none was. */
export async function longestUntried(db: Db): Promise<Date | null> {
  const row = await db
    .selectFrom('object_checks')
    .select('checked_at')
    .orderBy('checked_at')
    .limit(1)
    .executeTakeFirst();
  return row?.checked_at ?? null;
}

/** What has not been read for long. */
export interface Unread {
  /** When the bytes were last read of the object that was read longest ago; null when none was. */
  readonly longestUnread: Date | null;
  /** Objects whose bytes the store did not give when it was last asked. */
  readonly notGiven: number;
}

export async function surveyUnread(db: Db): Promise<Unread> {
  const { rows } = await sql<Unread>`
    select
      (select count(*) from object_checks where unread_since is not null) as "notGiven",
      least(
        (select min(unread_since) from object_checks where unread_since is not null),
        (select min(checked_at) from object_checks where unread_since is null)) as "longestUnread"
  `.execute(db);
  return rows[0] ?? { longestUnread: null, notGiven: 0 };
}

/** Some of the objects whose bytes were right when they were last read: those that were read last. */
export async function listReadLast(db: Db, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('object_checks')
    .select('key')
    .where('etag', 'is not', null)
    .where('unread_since', 'is', null)
    .where('damaged_at', 'is', null)
    .orderBy('checked_at', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => row.key);
}

/** What the scrub learned of an object. */
export interface Seen {
  readonly key: string;
  /** Of its bytes, which were read and were right. */
  readonly etag?: string;
  /** As it is kept from now on; undefined leaves it. */
  readonly sha256?: string;
  /** The store did not give it. */
  readonly isUnread?: boolean;
}

/**
 * Notes objects that were read now, or could not be. One that somebody removes at this moment is left out: nobody ever waits for a
 * scrub.
 */
export async function noteSeen(db: Db, seen: readonly Seen[]): Promise<void> {
  if (seen.length === 0) return;
  const rows = seen.map(
    ({ key, etag, sha256, isUnread = false }) =>
      sql`(${key}::text, ${etag ?? null}::text, ${sha256 ?? null}::text, ${isUnread}::boolean)`,
  );
  await sql`
    with seen (key, etag, sha256, is_unread) as (values ${sql.join(rows)}),
    free as (
      select key from objects where key in (select key from seen) and state = 'live' for key share skip locked
    )
    insert into object_checks as known (key, etag, sha256, checked_at, unread_since)
      select seen.key, seen.etag, seen.sha256, clock_timestamp(), case when is_unread then clock_timestamp() end
      from seen join free using (key)
    on conflict (key) do update set
      checked_at = excluded.checked_at,
      etag = coalesce(excluded.etag, known.etag),
      unread_since = case
        when excluded.unread_since is not null then coalesce(known.unread_since, known.checked_at)
        when excluded.etag is null then known.unread_since end,
      sha256 = coalesce(excluded.sha256, known.sha256)
  `.execute(db);
}

/** Marks an object as damaged. Under the lock of its file. */
export async function markDamaged(db: Db, key: string): Promise<void> {
  const now = sql<Date>`clock_timestamp()`;
  await db
    .insertInto('object_checks')
    .values({ key, etag: null, checked_at: now, damaged_at: now })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet({
        etag: null,
        damaged_at: sql<Date>`coalesce(object_checks.damaged_at, clock_timestamp())`,
      }),
    )
    .execute();
}

/** Marks an object as whole again. Under the lock of its file. */
export async function markWhole(db: Db, key: string): Promise<void> {
  await db
    .updateTable('object_checks')
    .set({ damaged_at: null, told: null, told_at: null })
    .where('key', '=', key)
    .execute();
}

/** What an operator was told of a damaged object, now. */
export async function noteTold(db: Db, key: string, told: string): Promise<void> {
  await db
    .updateTable('object_checks')
    .set({ told, told_at: sql<Date>`clock_timestamp()` })
    .where('key', '=', key)
    .execute();
}

/** An object in quarantine has the bytes that lay in the place of a public one. */
export async function noteAside(
  db: Db,
  key: string,
  aside: { readonly of: string; readonly sha256: string; readonly etag: string },
): Promise<void> {
  const { of, sha256, etag } = aside;
  await db
    .insertInto('object_checks')
    .values({ key, etag, sha256, aside_of: of, checked_at: sql<Date>`clock_timestamp()` })
    .execute();
}

/** Where the bytes lie that were found in the place of a public object and kept last; null when none are kept. */
export async function findAside(db: Db, of: string): Promise<string | null> {
  const row = await db
    .selectFrom('objects')
    .innerJoin('object_checks', 'object_checks.key', 'objects.key')
    .select('objects.key')
    .where('object_checks.aside_of', '=', of)
    .where('objects.state', '=', 'live')
    .orderBy('objects.updated_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.key ?? null;
}

/** Where bytes lie that were found in the place of public objects of a file; of one of them, or of all. */
export async function listAsides(db: Db, fileId: string, of: string | null = null): Promise<string[]> {
  const rows = await db
    .selectFrom('objects')
    .innerJoin('object_checks', 'object_checks.key', 'objects.key')
    .select('objects.key')
    .where('objects.file_id', '=', fileId)
    .where('object_checks.aside_of', 'is not', null)
    .$if(of !== null, (query) => query.where('object_checks.aside_of', '=', of))
    .execute();
  return rows.map((row) => row.key);
}

/** Keys of these files that are known to be damaged. */
export async function listDamagedKeys(db: Db, fileIds: readonly string[]): Promise<Set<string>> {
  if (fileIds.length === 0) return new Set();
  const rows = await db
    .selectFrom('objects')
    .innerJoin('object_checks', 'object_checks.key', 'objects.key')
    .select('objects.key')
    .where('objects.file_id', '=', anyOf(fileIds))
    .where('objects.state', '=', 'live')
    .where('object_checks.damaged_at', 'is not', null)
    .execute();
  return new Set(rows.map((row) => row.key));
}
