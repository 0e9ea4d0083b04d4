import { jsonText } from './json.ts';
import type { Db } from './schema.ts';

/** Records a private read or an act of staff, before its first byte. */
export async function recordAccess(
  db: Db,
  entry: { userId: string; action: string; fileId: string | null; details?: Record<string, unknown> },
): Promise<void> {
  await db
    .insertInto('access_log')
    .values({
      user_id: entry.userId,
      action: entry.action,
      file_id: entry.fileId,
      details: jsonText(entry.details ?? {}),
    })
    .execute();
}
