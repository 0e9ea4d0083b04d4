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

/** The appeal of each of these files that nobody has decided yet. */
export async function listAppeals(db: Db, fileIds: readonly string[]): Promise<Map<string, string>> {
  if (fileIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('appeals')
    .select(['file_id', 'message'])
    .where('file_id', 'in', [...fileIds])
    .where('outcome', 'is', null)
    .orderBy('id')
    .execute();
  return new Map(rows.map((row) => [row.file_id, row.message]));
}
