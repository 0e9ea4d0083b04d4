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
 * Nobody judges their own photo. A second look is always for another person than the one who decided, an appeal for
 * another than all who have decided against the seller where that is possible: for a day, and only while such a person is
 * at work (has decided something within a week).
 */
export function isFor(moderator: string) {
  return sql<SqlBool>`(
    not exists (select from files f where f.id = review_cases.file_id and f.owner_id = ${moderator})
    and (${moderator} <> all (not_by)
      or (source <> 'second_look' and (
        opened_at < now() - interval '1 day'
        or not exists (
          select from review_decisions d where d.decided_at > now() - interval '7 days'
            and d.moderator_id <> all (not_by || array[${moderator}, ${REPORTED}]::text[]))))))`;
}
