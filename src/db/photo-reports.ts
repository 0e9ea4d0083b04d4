import { sql } from 'kysely';
import type { Db } from './schema.ts';

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
