import type { GeneratedAlways, Generated } from 'kysely';
import type { Finding, FindingSource, Region } from '../domain/finding.ts';
import type { CaseOutcome, CaseSource } from '../domain/review-case.ts';
import type { BigInt8, CreatedAt, Json, NullableJson, Timestamp } from './column-types.ts';

interface FindingsTable {
  id: GeneratedAlways<BigInt8>;
  file_id: string;
  source: FindingSource;
  label: string;
  confidence: number | null;
  region: NullableJson<Region>;
  model: string | null;
  version: string | null;
  details: Json<Finding['details']>;
  found_at: CreatedAt;
}

/** A photo's place in the review queue; one open case a file. */
export interface ReviewCasesTable {
  id: GeneratedAlways<BigInt8>;
  file_id: string;
  source: CaseSource;
  /** Without one the least. */
  priority: Generated<number>;
  opened_at: CreatedAt;
  /** Whose decisions are looked at again: it is for somebody else. */
  not_by: Generated<string[]>;
  /** From when on it is for them, too; null: a day after it was opened. */
  for_all_at: Timestamp | null;
  /** The moderator who has it before them, until then. */
  claimed_by: string | null;
  claimed_until: Timestamp | null;
  closed_at: Timestamp | null;
  outcome: CaseOutcome | null;
}

/** What a buyer reported, once a photo and buyer. */
interface PhotoReportsTable {
  id: GeneratedAlways<BigInt8>;
  file_id: string;
  user_id: string;
  reason_code: string;
  message: string | null;
  /** The case it was added to. */
  case_id: BigInt8 | null;
  created_at: Generated<Date>;
}

interface ReviewDecisionsTable {
  id: GeneratedAlways<BigInt8>;
  file_id: string;
  moderator_id: string;
  decision: 'approve' | 'reject' | 'takedown';
  reason: string;
  /** Of the list of reasons; null where only words were given. */
  reason_code: string | null;
  case_id: BigInt8 | null;
  decided_at: CreatedAt;
}

interface AppealsTable {
  id: GeneratedAlways<BigInt8>;
  file_id: string;
  user_id: string;
  message: string;
  created_at: CreatedAt;
  /** Null while nobody has decided; the database sets it with the decision. */
  outcome: 'upheld' | 'refused' | 'withdrawn' | null;
  decided_at: Timestamp | null;
}

/** What is raised at present. */
export interface AlarmsTable {
  name: string;
  since: Timestamp;
  /** In words for the operator. */
  problem: string;
}

export interface ReviewTables {
  alarms: AlarmsTable;
  findings: FindingsTable;
  review_cases: ReviewCasesTable;
  photo_reports: PhotoReportsTable;
  review_decisions: ReviewDecisionsTable;
  appeals: AppealsTable;
}
