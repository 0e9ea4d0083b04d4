import { anyOf } from './any-of.ts';
import type { Db } from './schema.ts';

export async function insertDecision(
  db: Db,
  decision: {
    fileId: string;
    moderatorId: string;
    decision: 'approve' | 'reject' | 'takedown';
    reason: string;
    reasonCode?: string | null;
    caseId?: number | null;
  },
): Promise<void> {
  await db
    .insertInto('review_decisions')
    .values({
      file_id: decision.fileId,
      moderator_id: decision.moderatorId,
      decision: decision.decision,
      reason: decision.reason,
      reason_code: decision.reasonCode ?? null,
      case_id: decision.caseId ?? null,
    })
    .execute();
}

export async function insertAppeal(
  db: Db,
  appeal: { fileId: string; userId: string; message: string },
): Promise<void> {
  await db
    .insertInto('appeals')
    .values({ file_id: appeal.fileId, user_id: appeal.userId, message: appeal.message })
    .execute();
}

/** What came of the appeals of a photo. */
export interface AppealStanding {
  readonly made: number;
  /** Of the latest; null while nobody has decided. */
  readonly outcome: 'upheld' | 'refused' | 'withdrawn' | null;
}

export async function countAppeals(db: Db, fileId: string): Promise<number> {
  return (await appealStandings(db, [fileId])).get(fileId)?.made ?? 0;
}

/** For those of these files that have appeals. */
export async function appealStandings(
  db: Db,
  fileIds: readonly string[],
): Promise<Map<string, AppealStanding>> {
  if (fileIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('appeals')
    .select(['file_id', 'outcome'])
    .where('file_id', '=', anyOf(fileIds))
    .orderBy('id')
    .execute();
  const standings = new Map<string, AppealStanding>();
  for (const { file_id, outcome } of rows)
    standings.set(file_id, { made: (standings.get(file_id)?.made ?? 0) + 1, outcome });
  return standings;
}

/** The appeal of each of these files that nobody has decided yet. */
export async function listAppeals(db: Db, fileIds: readonly string[]): Promise<Map<string, string>> {
  if (fileIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('appeals')
    .select(['file_id', 'message'])
    .where('file_id', '=', anyOf(fileIds))
    .where('outcome', 'is', null)
    .orderBy('id')
    .execute();
  return new Map(rows.map((row) => [row.file_id, row.message]));
}

/** Whether a person has ever decided so of this photo. */
export async function hasDecision(
  db: Db,
  fileId: string,
  ...decisions: readonly ('approve' | 'reject' | 'takedown')[]
): Promise<boolean> {
  const row = await db
    .selectFrom('review_decisions')
    .select('id')
    .where('file_id', '=', fileId)
    .where('decision', 'in', [...decisions])
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
