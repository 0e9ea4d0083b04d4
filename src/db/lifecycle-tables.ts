import type { Generated, GeneratedAlways } from 'kysely';
import type { EvidenceMoveState } from '../domain/evidence.ts';
import type { FileState } from '../domain/file-state.ts';
import type { StorageClass } from '../domain/storage-class.ts';
import type { BigInt8, CreatedAt, Timestamp } from './column-types.ts';

/** When a photo was last looked at, to the day. */
export interface FileViewsTable {
  file_id: string;
  last_viewed_at: Timestamp;
}

/** Moments that decide what may be known of views. */
export interface LifecycleMarksTable {
  name: 'views_known_since' | 'usage_ingested_until';
  at: Timestamp;
}

/** Legal holds; one in force for a file at most. */
export interface HoldsTable {
  id: GeneratedAlways<BigInt8>;
  file_id: string;
  reason: string;
  placed_by: string;
  placed_at: CreatedAt;
  lifted_by: string | null;
  lifted_at: Timestamp | null;
}

/** Originals of held files on their way out of the public prefixes, by the public key that they leave. */
export interface EvidenceMovesTable {
  key: string;
  file_id: string;
  /** Of the original, where a row knew it. */
  sha256: string | null;
  state: Generated<EvidenceMoveState>;
  /** That failed, one after the other. */
  attempts: Generated<number>;
  /** What the last of them failed with. */
  error: string | null;
  due_at: CreatedAt;
  created_at: CreatedAt;
  moved_at: Timestamp | null;
}

interface StorageSums {
  objects: BigInt8;
  bytes: BigInt8;
}

/** What is stored, by where, class and state of its file. Kept by triggers and `foldStorage`. */
export interface StorageTotalsTable extends StorageSums {
  prefix: string;
  storage_class: StorageClass;
  state: FileState;
  billed_bytes: BigInt8;
}

/** Changes of the totals that are not folded into them yet. */
export interface StorageDeltasTable extends StorageTotalsTable {
  id: GeneratedAlways<BigInt8>;
  owner_id: string;
}

export interface StorageOwnersTable extends StorageSums {
  owner_id: string;
}

export interface StorageOwnerClassesTable extends StorageSums {
  owner_id: string;
  storage_class: StorageClass;
  billed_bytes: BigInt8;
}

/** Tables of the lifecycle of stored bytes. */
export interface LifecycleTables {
  file_views: FileViewsTable;
  lifecycle_marks: LifecycleMarksTable;
  holds: HoldsTable;
  evidence_moves: EvidenceMovesTable;
  storage_deltas: StorageDeltasTable;
  storage_totals: StorageTotalsTable;
  storage_owners: StorageOwnersTable;
  storage_owner_classes: StorageOwnerClassesTable;
}
