import { sql } from 'kysely';
import type { Db } from './schema.ts';

/** What happened before a time, the latest `limit` of each part. */
export interface HistoryPage {
  readonly before: Date | null;
  readonly limit: number;
}

/** What is known of how a file was judged, each part the latest first. */
export async function readHistory(db: Db, fileId: string, page: HistoryPage) {
  const { before, limit } = page;
  return {
    events: await db
      .selectFrom('file_events')
      .select(['at', 'state', 'reason_code'])
      .where('file_id', '=', fileId)
      .$if(before !== null, (query) => query.where('at', '<', before))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute(),
    cases: await db
      .selectFrom('review_cases')
      .selectAll()
      .select('opened_at as at')
      .where('file_id', '=', fileId)
      .$if(before !== null, (query) => query.where('opened_at', '<', before))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute(),
    decisions: await db
      .selectFrom('review_decisions')
      .selectAll()
      .select('decided_at as at')
      .where('file_id', '=', fileId)
      .$if(before !== null, (query) => query.where('decided_at', '<', before))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute(),
    appeals: await db
      .selectFrom('appeals')
      .selectAll()
      .select('created_at as at')
      .where('file_id', '=', fileId)
      .$if(before !== null, (query) => query.where('created_at', '<', before))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute(),
    reports: await db
      .selectFrom('photo_reports')
      .selectAll()
      .select('created_at as at')
      .where('file_id', '=', fileId)
      .$if(before !== null, (query) => query.where('created_at', '<', before))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute(),
    holds: await db
      .selectFrom('holds')
      .selectAll()
      .select('placed_at as at')
      .where('file_id', '=', fileId)
      .$if(before !== null, (query) => query.where('placed_at', '<', before))
      .orderBy('id', 'desc')
      .limit(limit)
      .execute(),
  };
}

/** How many of a seller's photos are in each state. */
export async function countPhotosByState(db: Db, ownerId: string): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('files')
    .select(({ fn }) => ['state', fn.countAll<number>().as('count')])
    .where('owner_id', '=', ownerId)
    .where('kind', '<>', 'verification_document')
    .groupBy('state')
    .execute();
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

/** How many of each decision there were about a seller's photos. */
export async function countDecisions(db: Db, ownerId: string): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('review_decisions as d')
    .innerJoin('files as f', 'f.id', 'd.file_id')
    .select(({ fn }) => ['d.decision', fn.countAll<number>().as('count')])
    .where('f.owner_id', '=', ownerId)
    .groupBy('d.decision')
    .execute();
  return Object.fromEntries(rows.map(({ decision, count }) => [decision, count]));
}

/** A seller's appeals, and the reports that others made of their photos. */
export async function countObjections(
  db: Db,
  ownerId: string,
): Promise<{ readonly made: number; readonly upheld: number; readonly reports: number }> {
  const appeals = await db
    .selectFrom('appeals as a')
    .innerJoin('files as f', 'f.id', 'a.file_id')
    .select([
      sql<number>`count(*)`.as('made'),
      sql<number>`count(*) filter (where a.outcome = 'upheld')`.as('upheld'),
    ])
    .where('f.owner_id', '=', ownerId)
    .executeTakeFirstOrThrow();
  const { reports } = await db
    .selectFrom('photo_reports as r')
    .innerJoin('files as f', 'f.id', 'r.file_id')
    .select(({ fn }) => fn.countAll<number>().as('reports'))
    .where('f.owner_id', '=', ownerId)
    .executeTakeFirstOrThrow();
  return { ...appeals, reports };
}

/** The latest decisions about a seller's photos, before that of the given id, the latest first. */
export async function lastDecisions(
  db: Db,
  ownerId: string,
  page: { readonly beforeId: number | null; readonly limit: number },
) {
  const { beforeId, limit } = page;
  return db
    .selectFrom('review_decisions as d')
    .innerJoin('files as f', 'f.id', 'd.file_id')
    .selectAll('d')
    .where('f.owner_id', '=', ownerId)
    .$if(beforeId !== null, (query) => query.where('d.id', '<', beforeId))
    .orderBy('d.id', 'desc')
    .limit(limit)
    .execute();
}
