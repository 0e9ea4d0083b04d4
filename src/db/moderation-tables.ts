import type { GeneratedAlways } from 'kysely';
import type { ModerationPolicy } from '../domain/moderation-policy.ts';
import type { StoredModeration } from '../ports/moderator.ts';
import type { BigInt8, CreatedAt, Json } from './column-types.ts';

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

/** A photo whose text and codes were read, or given up. */
export interface TextReadsTable {
  file_id: string;
  outcome: 'read' | 'given_up';
  /** Why it was given up. */
  note: string | null;
  /** Lines of text that were seen. */
  lines: number;
  codes: number;
  versions: Json<Record<string, string>>;
  read_at: CreatedAt;
}

export interface ModerationTables {
  moderation_policies: ModerationPoliciesTable;
  moderation_history: ModerationHistoryTable;
  moderation_charges: ModerationChargesTable;
  text_reads: TextReadsTable;
}
