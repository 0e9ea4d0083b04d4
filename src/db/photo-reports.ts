import { sql } from 'kysely';
import type { ReasonCode } from '../domain/review-reasons.ts';
import type { Db } from './schema.ts';

export interface NewReport {
  readonly fileId: string;
  readonly userId: string;
  readonly reasonCode: ReasonCode;
  readonly message: string | null;
  readonly caseId: number;
}

export async function insertReport(db: Db, report: NewReport): Promise<void> {
  await db
    .insertInto('photo_reports')
    .values({
      file_id: report.fileId,
      user_id: report.userId,
      reason_code: report.reasonCode,
      message: report.message,
      case_id: report.caseId,
    })
    .execute();
}

/** Reports go on with their photo into another case. */
export async function moveReports(db: Db, fromCase: number, toCase: number): Promise<void> {
  await db.updateTable('photo_reports').set({ case_id: toCase }).where('case_id', '=', fromCase).execute();
}

/** Waits until no other report of this person is being counted. */
export async function lockReporter(db: Db, userId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`reporter:${userId}`}, 0))`.execute(db);
}

/** What the person has reported of this photo before: once is all that counts. */
export async function findReport(
  db: Db,
  fileId: string,
  userId: string,
): Promise<{ readonly caseId: number | null } | null> {
  const row = await db
    .selectFrom('photo_reports')
    .select('case_id as caseId')
    .where('file_id', '=', fileId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row ?? null;
}

/** Whether a person has approved the photo after somebody reported it. */
export async function isApprovedSinceReported(db: Db, fileId: string): Promise<boolean> {
  const row = await db
    .selectFrom('review_decisions')
    .select('id')
    .where('file_id', '=', fileId)
    .where('decision', '=', 'approve')
    .where(
      'decided_at',
      '>',
      sql<Date>`(select min(created_at) from photo_reports where file_id = ${fileId})`,
    )
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Photos that a person has reported within the last hour, and when the oldest of these was. */
export async function reportsWithinAnHour(
  db: Db,
  userId: string,
): Promise<{ readonly count: number; readonly oldest: Date | null }> {
  return db
    .selectFrom('photo_reports')
    .select([sql<number>`count(*)`.as('count'), sql<Date | null>`min(created_at)`.as('oldest')])
    .where('user_id', '=', userId)
    .where('created_at', '>', sql<Date>`now() - interval '1 hour'`)
    .executeTakeFirstOrThrow();
}

/** Buyers who reported, by what they named, for each of these cases; the most named first. */
export async function countReports(
  db: Db,
  caseIds: readonly number[],
): Promise<Map<number, { readonly reasonCode: string; readonly count: number }[]>> {
  if (caseIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('photo_reports')
    .select(['case_id', 'reason_code', sql<number>`count(*)`.as('count')])
    .where('case_id', 'in', [...caseIds])
    .groupBy(['case_id', 'reason_code'])
    .orderBy('count', 'desc')
    .orderBy('reason_code')
    .execute();
  const counts = new Map<number, { reasonCode: string; count: number }[]>();
  for (const { case_id, reason_code, count } of rows) {
    if (case_id === null) continue;
    counts.set(case_id, [...(counts.get(case_id) ?? []), { reasonCode: reason_code, count }]);
  }
  return counts;
}
