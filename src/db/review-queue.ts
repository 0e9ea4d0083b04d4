import { type SqlBool, sql } from 'kysely';
import { type CaseSource, REPORTED } from '../domain/review-case.ts';
import type { CaseRow } from './review-cases.ts';
import type { Db, FileRow } from './schema.ts';

/** A place in the queue: the most urgent first, among equals the longest waiting. */
export interface QueuePlace {
  readonly priority: number;
  readonly openedAt: Date;
  readonly id: number;
}

/** Open cases that this moderator may decide, in the order of the queue. */
export async function listOpenCases(
  db: Db,
  page: {
    readonly moderator: string;
    readonly source?: CaseSource;
    readonly after?: QueuePlace;
    readonly limit: number;
  },
): Promise<CaseRow[]> {
  let query = openTo(db, page.moderator).selectAll();
  if (page.source !== undefined) query = query.where('source', '=', page.source);
  const { after } = page;
  if (after !== undefined)
    query = query.where(
      sql<SqlBool>`(-priority, opened_at, id) > (${-after.priority}, ${after.openedAt}, ${after.id})`,
    );
  return query.orderBy(sql`-priority`).orderBy('opened_at').orderBy('id').limit(page.limit).execute();
}

export async function countOpenCases(db: Db, moderator: string): Promise<number> {
  const row = await openTo(db, moderator)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return row.count;
}

/** Cases that have been open since before then: how many, and since when the oldest. */
export async function findLateCases(
  db: Db,
  before: Date,
): Promise<{ readonly count: number; readonly oldest: Date | null }> {
  return db
    .selectFrom('review_cases')
    .select(({ fn }) => [fn.countAll<number>().as('count'), fn.min<Date | null>('opened_at').as('oldest')])
    .where('closed_at', 'is', null)
    .where('opened_at', '<', before)
    .executeTakeFirstOrThrow();
}

/** The files of these cases, whole, by id. */
export async function filesOfCases(db: Db, cases: readonly CaseRow[]): Promise<Map<string, FileRow>> {
  if (cases.length === 0) return new Map();
  const rows = await db
    .selectFrom('files')
    .selectAll()
    .where(
      'id',
      'in',
      cases.map((open) => open.file_id),
    )
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

function openTo(db: Db, moderator: string) {
  return db.selectFrom('review_cases').where('closed_at', 'is', null).where(isFor(moderator));
}

/**
 * Nobody judges their own photo. A second look is for another person than the one who decided, an appeal for another than all
 * who have decided against the seller, where that is possible: until the case is for all, and only while such a person is at
 * work (has decided something within a week, or has cases claimed). A second look waits ten minutes even then, so that a
 * key pressed twice is none.
 */
export function isFor(moderator: string) {
  return sql<SqlBool>`(
    not exists (select from files f where f.id = review_cases.file_id and f.owner_id = ${moderator})
    and (${moderator} <> all (not_by)
      or coalesce(for_all_at, opened_at + interval '1 day') < now()
      or ((source <> 'second_look' or opened_at < now() - interval '10 minutes')
        and not exists (
          select from review_decisions d where d.decided_at > now() - interval '7 days'
            and d.moderator_id <> all (not_by || array[${moderator}, ${REPORTED}]::text[]))
        and not exists (
          select from review_cases c where c.closed_at is null and c.claimed_until > now() - interval '7 days'
            and c.claimed_by <> all (review_cases.not_by || array[${moderator}]::text[])))))`;
}
