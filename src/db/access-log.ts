import { jsonText } from './json.ts';
import type { Db } from './schema.ts';

export interface AccessEntry {
  readonly userId: string;
  readonly action: string;
  readonly fileId: string | null;
  readonly details?: Record<string, unknown>;
}

/** Records a private read or an act of staff, before its first byte. */
export async function recordAccess(db: Db, entry: AccessEntry): Promise<void> {
  await recordAccesses(db, [entry]);
}

/** Records several at once, all or none. */
export async function recordAccesses(db: Db, entries: readonly AccessEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await db
    .insertInto('access_log')
    .values(
      entries.map((entry) => ({
        user_id: entry.userId,
        action: entry.action,
        file_id: entry.fileId,
        details: jsonText(entry.details ?? {}),
      })),
    )
    .execute();
}
