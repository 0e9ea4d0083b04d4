import { type Expression, type Selectable, type SqlBool, sql } from 'kysely';
import type { Finding } from '../domain/finding.ts';
import type { CaseOutcome, CaseSource } from '../domain/review-case.ts';
import { anyOf } from './any-of.ts';
import { jsonText } from './json.ts';
import type { ReviewCasesTable } from './review-tables.ts';
import type { Db } from './schema.ts';

export type CaseRow = Selectable<ReviewCasesTable>;

/** A finding as it is kept. */
export interface KeptFinding extends Finding {
  readonly id: number;
  readonly fileId: string;
  readonly foundAt: Date;
}

/** Keeps what was seen in a photo. The same again (source, label, model, place, details) is kept once. */
export async function addFindings(db: Db, fileId: string, findings: readonly Finding[]): Promise<void> {
  if (findings.length === 0) return;
  await db
    .insertInto('findings')
    .values(
      findings.map((finding) => ({
        file_id: fileId,
        source: finding.source,
        label: finding.label,
        confidence: finding.confidence,
        region: finding.region === null ? null : jsonText(finding.region),
        model: finding.model,
        version: finding.version,
        details: jsonText(finding.details),
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** What was seen in each of these files, in the order in which it was kept. */
export async function listFindings(
  db: Db,
  fileIds: readonly string[],
): Promise<Map<string, readonly KeptFinding[]>> {
  return keptFindings(db, fileIds, []);
}

/** Of what was seen in these files, that which a person knew when they last approved the file. */
export async function listApproved(
  db: Db,
  fileIds: readonly string[],
): Promise<Map<string, readonly KeptFinding[]>> {
  return keptFindings(db, fileIds, [
    sql<SqlBool>`found_at <= (
      select max(d.decided_at) from review_decisions d
      where d.file_id = findings.file_id and d.decision = 'approve')`,
  ]);
}

/**
 * Puts a photo into the review queue, also one that is public and stays so until somebody decides. Where it has an open
 * case, that one is made as urgent as this; without a priority it is as urgent as most. A change to in_review opens a case by itself. Returns the case's id.
 */
export async function openCase(
  db: Db,
  fileId: string,
  reason: {
    readonly source: CaseSource;
    readonly priority?: number;
    readonly notBy?: string;
    readonly forAllAt?: Date;
  },
): Promise<number> {
  const { id } = await db
    .insertInto('review_cases')
    .values({
      file_id: fileId,
      source: reason.source,
      ...(reason.priority !== undefined && { priority: reason.priority }),
      not_by: reason.notBy === undefined ? [] : [reason.notBy],
      for_all_at: reason.forAllAt ?? null,
    })
    .onConflict((conflict) =>
      conflict.column('file_id').where('closed_at', 'is', null).doUpdateSet({
        source: sql<CaseSource>`case when excluded.priority > review_cases.priority then excluded.source else review_cases.source end`,
        priority: sql<number>`greatest(review_cases.priority, excluded.priority)`,
        not_by: sql<string[]>`review_cases.not_by || excluded.not_by`,
      }),
    )
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

export async function openCaseOf(db: Db, fileId: string): Promise<CaseRow | null> {
  const row = await db
    .selectFrom('review_cases')
    .selectAll()
    .where('file_id', '=', fileId)
    .where('closed_at', 'is', null)
    .executeTakeFirst();
  return row ?? null;
}

/** Ends a case that leaves the photo's state as it is; a change of state ends it by itself. */
export async function closeCase(db: Db, id: number, outcome: CaseOutcome): Promise<void> {
  await db
    .updateTable('review_cases')
    .set({ outcome, closed_at: sql<Date>`clock_timestamp()` })
    .where('id', '=', id)
    .where('closed_at', 'is', null)
    .execute();
}

async function keptFindings(
  db: Db,
  fileIds: readonly string[],
  conditions: readonly Expression<SqlBool>[],
): Promise<Map<string, readonly KeptFinding[]>> {
  if (fileIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('findings')
    .selectAll()
    .where('file_id', '=', anyOf(fileIds))
    .where((eb) => eb.and(conditions))
    .orderBy('id')
    .execute();
  const findings = rows.map(({ file_id, found_at, ...row }) => ({
    ...row,
    fileId: file_id,
    foundAt: found_at,
  }));
  return Map.groupBy(findings, ({ fileId }) => fileId);
}
