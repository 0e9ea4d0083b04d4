import { sql } from 'kysely';
import type { CaseSource } from '../domain/review-case.ts';
import type { CaseRow } from './review-cases.ts';
import { isFor } from './review-queue.ts';
import type { Db } from './schema.ts';

/**
 * Claims up to `count` cases for a moderator, for `seconds`: those at the head of the queue that are theirs already or
 * nobody's. Cases that somebody else claims at this moment are passed over, so that no two moderators get the same.
 */
export async function claimNext(
  db: Db,
  claim: {
    readonly moderator: string;
    readonly count: number;
    readonly seconds: number;
    readonly source: CaseSource | null;
    /** Files that the moderator has before them already. */
    readonly except: readonly string[];
  },
): Promise<CaseRow[]> {
  const { moderator } = claim;
  const { rows } = await sql<CaseRow>`
    with next as materialized (
      select id from review_cases
      where closed_at is null and ${isFor(moderator)}
        and (claimed_by = ${moderator} or claimed_until is null or claimed_until < now())
        and (${claim.source}::text is null or source = ${claim.source})
        and file_id <> all (${claim.except}::uuid[])
      order by -priority, opened_at, id
      limit ${claim.count} for update skip locked
    )
    update review_cases c set claimed_by = ${moderator}, claimed_until = ${until(claim.seconds)}
    from next where c.id = next.id
    returning c.*
  `.execute(db);
  return rows.toSorted((a, b) => b.priority - a.priority || +a.opened_at - +b.opened_at || a.id - b.id);
}

/** Claims, or goes on having, the cases of these files; returns those files whose case the moderator now has. */
export async function claimThese(
  db: Db,
  claim: { readonly moderator: string; readonly fileIds: readonly string[]; readonly seconds: number },
): Promise<string[]> {
  const { moderator } = claim;
  const { rows } = await sql<{ file_id: string }>`
    with wanted as materialized (
      select id from review_cases
      where closed_at is null and file_id = any (${claim.fileIds}::uuid[]) and ${isFor(moderator)}
        and (claimed_by = ${moderator} or claimed_until is null or claimed_until < now())
      order by id for update
    )
    update review_cases c set claimed_by = ${moderator}, claimed_until = ${until(claim.seconds)}
    from wanted where c.id = wanted.id
    returning c.file_id
  `.execute(db);
  return rows.map((row) => row.file_id);
}

/** Gives back what a moderator has claimed. */
export async function releaseClaims(db: Db, moderator: string): Promise<void> {
  await db
    .updateTable('review_cases')
    .set({ claimed_by: null, claimed_until: null })
    .where('claimed_by', '=', moderator)
    .where('closed_at', 'is', null)
    .execute();
}

/** A file's open case as a moderator finds it. */
export interface CaseFor extends CaseRow {
  /** Somebody else has it before them. */
  readonly isTaken: boolean;
  /** It is about the moderator's own decision, and so for somebody else. */
  readonly isReserved: boolean;
}

/** The open case of a file. `lock`: nobody claims or decides it until the transaction ends. */
export async function findOpenCase(
  db: Db,
  fileId: string,
  moderator: string,
  lock: boolean,
): Promise<CaseFor | null> {
  const { rows } = await sql<CaseFor>`
    select review_cases.*, coalesce(claimed_by <> ${moderator} and claimed_until >= now(), false) as "isTaken",
      not ${isFor(moderator)} as "isReserved"
    from review_cases where file_id = ${fileId} and closed_at is null ${lock ? sql`for update` : sql``}
  `.execute(db);
  return rows[0] ?? null;
}

function until(seconds: number) {
  return sql`now() + make_interval(secs => ${seconds})`;
}
