import { jsonText } from './json.ts';
import type { Db } from './schema.ts';

export interface AccessEntry {
  readonly userId: string;
  readonly action: string;
  readonly fileId: string | null;
  readonly details?: Record<string, unknown>;
}

/**
 * Writes an entry into the audit ledger: a private read before its first byte, or an act, in the transaction that does
 * it. Waits for no other writer; the entry is sealed into the chain within a second of its commit.
 */
export async function recordAccess(db: Db, entry: AccessEntry): Promise<void> {
  await recordAccesses(db, [entry]);
}

/** Writes several at once, all or none. */
export async function recordAccesses(db: Db, entries: readonly AccessEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map((entry) => ({
    user_id: entry.userId,
    action: entry.action,
    file_id: entry.fileId,
    details: jsonText(entry.details ?? {}),
  }));
  await db
    .with('entry', (write) => write.insertInto('audit.entries').values(rows).returning(['id', 'at']))
    .insertInto('audit.unsealed')
    .columns(['entry_id', 'entry_at'])
    .expression((eb) => eb.selectFrom('entry').select(['id', 'at']))
    .execute();
}
