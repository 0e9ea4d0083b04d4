import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { ModerationPolicy } from '../domain/moderation-policy.ts';
import type { StoredModeration } from '../ports/moderator.ts';
import type { BigInt8, CreatedAt, Json, Timestamp } from './column-types.ts';

/** A policy that photos were judged by. */
interface ModerationPoliciesTable {
  /** `policyVersion` */
  version: string;
  name: string;
  policy: Json<ModerationPolicy>;
  first_used_at: CreatedAt;
}

/** A verdict that another one took the place of. */
interface ModerationHistoryTable {
  id: GeneratedAlways<BigInt8>;
  file_id: string;
  moderation: Json<StoredModeration>;
  /** The replay that did it. */
  run_id: string | null;
  replaced_at: CreatedAt;
}

/** Photos that a detector outside charged for, by day (UTC). */
interface ModerationChargesTable {
  /** YYYY-MM-DD */
  day: string;
  detector: string;
  photos: BigInt8;
}

/** A public photo whose text and codes are to be read. */
interface TextReadsTable {
  file_id: string;
  /** When the job was last asked for. */
  asked_at: CreatedAt;
  /** Null while it waits. */
  outcome: 'read' | 'given_up' | null;
  /** Why it was given up. */
  note: string | null;
  /** Lines of text that were seen. */
  lines: Generated<number>;
  codes: Generated<number>;
  versions: ColumnType<Record<string, string>, string | undefined, string>;
  ended_at: Timestamp | null;
}

export interface ModerationTables {
  moderation_policies: ModerationPoliciesTable;
  moderation_history: ModerationHistoryTable;
  moderation_charges: ModerationChargesTable;
  text_reads: TextReadsTable;
}
