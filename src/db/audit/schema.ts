import type { ColumnType, Generated, JSONColumnType } from 'kysely';

/** The ledger's rows, one partition a month. `json`: the chain covers the text as it was written. */
interface AuditEntriesTable {
  id: Generated<number>;
  at: ColumnType<Date, Date | string | undefined, never>;
  user_id: string;
  action: string;
  file_id: string | null;
  details: JSONColumnType<Record<string, unknown>>;
}

/** What was written and waits to be sealed. */
interface AuditUnsealedTable {
  entry_id: number;
  entry_at: Date;
}

/** The chain: dense from 1 (or from where a dropped month ended), each hash over the one before and the entry. */
interface AuditSealsTable {
  seq: number;
  entry_id: number;
  entry_at: Date;
  sealed_at: Date;
  hash: Buffer;
}

/** Hashes of the chain that were written to the object store. */
interface AuditAnchorsTable {
  key: string;
  kind: 'head' | 'drop';
  seq: number;
  hash: Buffer;
  month: string | null;
  anchored_at: Generated<Date>;
}

export interface AuditSchema {
  'audit.entries': AuditEntriesTable;
  'audit.unsealed': AuditUnsealedTable;
  'audit.seals': AuditSealsTable;
  'audit.anchors': AuditAnchorsTable;
}
