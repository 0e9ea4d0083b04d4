import type { ColumnType, Generated, GeneratedAlways, JSONColumnType } from 'kysely';
import type { CachePolicy } from '../domain/cache-policy.ts';
import type { ProbeAnswer, ProbeState } from '../domain/probe.ts';

type Timestamp = ColumnType<Date, Date | string, Date | string>;
type CreatedAt = ColumnType<Date, Date | string | undefined, Date | string>;

/** Paths that went to the CDN in one call, or are to. */
export interface CdnBatchesTable {
  id: string;
  caller_reference: string;
  paths: JSONColumnType<string[]>;
  state: Generated<'open' | 'completed' | 'replaced' | 'abandoned'>;
  invalidation_id: string | null;
  attempts: Generated<number>;
  due_at: CreatedAt;
  reason: string | null;
  created_at: CreatedAt;
  sent_at: Timestamp | null;
  finished_at: Timestamp | null;
}

/** A path to be purged; pending while it is in no batch. */
export interface CdnPurgesTable {
  id: GeneratedAlways<number>;
  ticket: string;
  path: string;
  batch_id: string | null;
  requested_at: CreatedAt;
  done_at: Timestamp | null;
}

export interface CdnCacheRulesTable {
  pattern: string;
  policy: JSONColumnType<CachePolicy>;
  updated_at: CreatedAt;
}

export interface CdnProbesTable {
  id: GeneratedAlways<number>;
  file_id: string;
  /** Of the purge that comes before it. */
  ticket: string;
  paths: JSONColumnType<string[]>;
  state: Generated<ProbeState>;
  answers: ColumnType<ProbeAnswer[], string | undefined, string>;
  attempts: Generated<number>;
  due_at: CreatedAt;
  created_at: CreatedAt;
  probed_at: Timestamp | null;
}
