import { sql } from 'kysely';
import type { Db } from './schema.ts';

/** More than a person reads of each part. */
const MANY = 200;

/** What is known of how a file was judged, each part oldest first. */
export async function readHistory(db: Db, fileId: string) {
  return {
    events: await db
      .selectFrom('file_events')
      .select(['at', 'state', 'reason_code'])
      .where('file_id', '=', fileId)
      .orderBy('id')
      .limit(MANY)
      .execute(),
    cases: await db
      .selectFrom('review_cases')
      .selectAll()
      .where('file_id', '=', fileId)
      .orderBy('id')
      .limit(MANY)
      .execute(),
    decisions: await db
      .selectFrom('review_decisions')
      .selectAll()
      .where('file_id', '=', fileId)
      .orderBy('id')
      .limit(MANY)
      .execute(),
    appeals: await db
      .selectFrom('appeals')
      .selectAll()
      .where('file_id', '=', fileId)
      .orderBy('id')
      .limit(MANY)
      .execute(),
    reports: await db
      .selectFrom('photo_reports')
      .selectAll()
      .where('file_id', '=', fileId)
      .orderBy('id')
      .limit(MANY)
      .execute(),
    holds: await db
      .selectFrom('holds')
      .selectAll()
      .where('file_id', '=', fileId)
      .orderBy('id')
      .limit(MANY)
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

/** The latest decisions about a seller's photos, the latest first. */
export async function lastDecisions(db: Db, ownerId: string, limit: number) {
  return db
    .selectFrom('review_decisions as d')
    .innerJoin('files as f', 'f.id', 'd.file_id')
    .selectAll('d')
    .where('f.owner_id', '=', ownerId)
    .orderBy('d.id', 'desc')
    .limit(limit)
    .execute();
}
