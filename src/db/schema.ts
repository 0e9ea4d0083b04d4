import type { ColumnType, Generated, GeneratedAlways, Kysely, Selectable, Transaction } from 'kysely';
import type { AuditSchema } from './audit/schema.ts';
import type { ItemStatus } from '../domain/access.ts';
import type { ArchiveState } from '../domain/archive-state.ts';
import type { CanaryOutcome, Distrust } from '../domain/canary.ts';
import type { FileKind, FileState, Stage } from '../domain/file-state.ts';
import type { NotedFindings } from '../domain/metadata.ts';
import type { PhotoHint } from '../domain/photo-coach.ts';
import type { OutputFormat, VariantName } from '../domain/renditions.ts';
import type { RunKind, RunProgress, RunState } from '../domain/runs.ts';
import type { StorageClass } from '../domain/storage-class.ts';
import type { ImageHeader, KeptAnalysis, OutputReport } from '../ports/image-engine.ts';
import type { CdnBatchesTable, CdnCacheRulesTable, CdnProbesTable, CdnPurgesTable } from './cdn-tables.ts';
import type { StoredModeration } from '../ports/moderator.ts';
import type { ScanResult } from '../ports/scanner.ts';
import type { BigInt8, CreatedAt, Json, NullableJson, Timestamp } from './column-types.ts';
import type { FingerprintTables } from './fingerprint-tables.ts';
import type { LifecycleTables } from './lifecycle-tables.ts';
import type { UsageTables } from './usage-tables.ts';
import type { LISTED_COLUMNS } from './listed-columns.ts';
import type { ModerationTables } from './moderation-tables.ts';
import type { ReviewTables } from './review-tables.ts';
import type { SearchTables } from './search-tables.ts';
import type { Recipe } from './recipes.ts';

export interface ItemsTable {
  id: string;
  seller_id: string;
  title: string;
  category: string | null;
  status: Generated<ItemStatus>;
  photos_version: Generated<BigInt8>;
  /** The last change of the listing; looking at its photos is in `file_views`. */
  last_activity_at: CreatedAt;
  created_at: CreatedAt;
  updated_at: CreatedAt;
  deleted_at: Timestamp | null;
}

export interface FilesTable {
  id: string;
  kind: FileKind;
  item_id: string | null;
  owner_id: string;
  state: Generated<FileState>;
  stage: Stage | null;
  /** Of the original; its renditions stay readable. */
  archive: Generated<ArchiveState>;
  /** Rises with each new premise (a decision, a replay): work of an older generation is late. */
  generation: Generated<number>;
  /** Dense from 0 among the item's photos; null when the file has no place (profile photo, gone). */
  position: number | null;
  reason_code: string | null;
  reason_message: string | null;
  /** Of the list of reasons, when a person chose one. */
  content_reason: string | null;
  warnings: ColumnType<string[], string | undefined, string>;
  /** What would make it better, for its seller; null when it was not measured. */
  hints: NullableJson<PhotoHint[]>;
  /** How it would do as a cover, 0–1. */
  cover_score: number | null;
  alt: string | null;
  filename: string;
  claimed_type: string | null;
  claimed_bytes: BigInt8 | null;
  claimed_sha256: string | null;
  upload_bytes: BigInt8 | null;
  upload_sha256: string | null;
  upload_etag: string | null;
  /** Until when the store takes the form of this reservation by itself; null when it has none, and once that is over. */
  form_expires_at: Timestamp | null;
  /** The photo that answered, when the same bytes were in the listing already. */
  duplicate_of: string | null;
  hash12: string | null;
  source_format: ImageHeader['format'] | 'pdf' | null;
  /** Thumbhash, base64. */
  placeholder: string | null;
  findings: NullableJson<NotedFindings>;
  scan: NullableJson<ScanResult & { at: string }>;
  moderation: NullableJson<StoredModeration>;
  analysis: NullableJson<KeptAnalysis>;
  attempts: Generated<number>;
  deadline_at: Timestamp | null;
  created_at: CreatedAt;
  received_at: Timestamp | null;
  published_at: Timestamp | null;
  finished_at: Timestamp | null;
  /** When it last came to wait for a moderator; the database sets it. */
  waiting_since: ColumnType<Date | null, never, never>;
  updated_at: CreatedAt;
}

export interface FileEventsTable {
  id: GeneratedAlways<BigInt8>;
  file_id: string;
  item_id: string | null;
  owner_id: string;
  state: FileState;
  stage: Stage | null;
  reason_code: string | null;
  at: CreatedAt;
}

export interface VariantsTable {
  file_id: string;
  name: VariantName;
  format: OutputFormat;
  key: string;
  bytes: BigInt8;
  width: number;
  height: number;
  sha256: string;
  report: Json<OutputReport>;
  created_at: CreatedAt;
}

/** Every object we put into the store: named before it is written, forgotten after it is gone. */
export interface ObjectsTable {
  key: string;
  file_id: string;
  state: 'writing' | 'live' | 'deleting';
  /** As the store has it; known once the object is live. */
  bytes: Generated<BigInt8>;
  storage_class: Generated<StorageClass>;
  class_since: CreatedAt;
  created_at: CreatedAt;
  updated_at: CreatedAt;
}

/** What the scrub remembers of an object that it has looked at. */
export interface ObjectChecksTable {
  key: string;
  /** When its bytes were last read and were right; another one asks for a look, and proves nothing. */
  etag: string | null;
  /** Of the bytes as stored, where neither `variants` nor `files` has it: of documents, once one has been opened. */
  sha256: string | null;
  /** When its bytes were last read, or a scrub that reads all tried to. */
  checked_at: Timestamp;
  /** When its bytes were last read, if the store has not given them since. */
  unread_since: Timestamp | null;
  /** Found damaged or missing then, and not mended yet. */
  damaged_at: Timestamp | null;
  /** What was said of the damage, and when; said again only when it is something else, or after long. */
  told: string | null;
  told_at: Timestamp | null;
  /** The public object in whose place these bytes lay. */
  aside_of: string | null;
}

/** What outputs were encoded with, by the id that their reports name. */
export interface RecipesTable {
  id: string;
  recipe: Json<Recipe>;
  noted_at: CreatedAt;
}

export interface OutboxTable {
  id: GeneratedAlways<BigInt8>;
  topic: string;
  file_id: string | null;
  payload: Json<Record<string, unknown>>;
  attempts: Generated<number>;
  available_at: CreatedAt;
  created_at: CreatedAt;
  delivered_at: Timestamp | null;
}

export interface IdempotencyKeysTable {
  caller: string;
  route: string;
  key: string;
  /** The request that holds the claim; it extends `expires_at` while it works. */
  holder: string;
  /** SHA-256 of the bytes; other bytes with the same key are a conflict. Null while the first is on its way. */
  fingerprint: string | null;
  file_id: string | null;
  finished_at: Timestamp | null;
  created_at: CreatedAt;
  expires_at: Timestamp;
}

export interface DocumentKeysTable {
  file_id: string;
  key_id: string;
  ciphertext: Buffer;
  created_at: CreatedAt;
}

export interface LeasesTable {
  name: string;
  holder: string;
  expires_at: Timestamp;
}

/** How a virus scanner did when it was last tried. */
export interface ScannerCanariesTable {
  /** Its identity. */
  scanner: string;
  outcome: CanaryOutcome;
  distrust: Distrust;
  /** Since when the outcome is this one. */
  since: Timestamp;
  checked_at: Timestamp;
  version: string | null;
  problem: string | null;
}

export interface RunsTable {
  id: string;
  kind: RunKind;
  state: Generated<RunState>;
  dry_run: boolean;
  params: Json<Record<string, unknown>>;
  requested_by: string;
  /** Where its handler goes on; null at the beginning. */
  cursor: NullableJson<Record<string, unknown>>;
  progress: ColumnType<RunProgress, string | undefined, string>;
  result: NullableJson<Record<string, unknown>>;
  reason_code: string | null;
  reason_message: string | null;
  attempts: Generated<number>;
  /** The worker that has it; it extends `lease_until` while it works. */
  holder: string | null;
  lease_until: Timestamp | null;
  available_at: CreatedAt;
  cancel_requested_at: Timestamp | null;
  created_at: CreatedAt;
  started_at: Timestamp | null;
  finished_at: Timestamp | null;
}

export interface RunActionsTable {
  id: GeneratedAlways<BigInt8>;
  run_id: string;
  action: string;
  subject: string;
  details: Json<Record<string, unknown>>;
  at: CreatedAt;
}

export interface Schema
  extends AuditSchema,
    LifecycleTables,
    UsageTables,
    ReviewTables,
    ModerationTables,
    FingerprintTables,
    SearchTables {
  items: ItemsTable;
  files: FilesTable;
  file_transitions: { from_state: FileState; to_state: FileState };
  file_events: FileEventsTable;
  variants: VariantsTable;
  objects: ObjectsTable;
  object_checks: ObjectChecksTable;
  recipes: RecipesTable;
  outbox: OutboxTable;
  idempotency_keys: IdempotencyKeysTable;
  document_keys: DocumentKeysTable;
  leases: LeasesTable;
  scanner_canaries: ScannerCanariesTable;
  runs: RunsTable;
  run_actions: RunActionsTable;
  cdn_batches: CdnBatchesTable;
  cdn_purges: CdnPurgesTable;
  cdn_cache_rules: CdnCacheRulesTable;
  cdn_probes: CdnProbesTable;
}

/** A connection pool. */
export type Database = Kysely<Schema>;
/** What a repository works on: the pool, or a transaction on it. */
export type Db = Kysely<Schema> | Transaction<Schema>;

export type ItemRow = Selectable<ItemsTable>;
export type FileRow = Selectable<FilesTable>;
/** What lists of photos read of a file (`LISTED_COLUMNS`): most of a row is what machines found in it, kilobytes. */
export type ListedFile = Pick<FileRow, (typeof LISTED_COLUMNS)[number]>;
export type VariantRow = Selectable<VariantsTable>;
/** What lists of photos read of a variant: all but how its bytes were proved. */
export type ListedVariant = Omit<VariantRow, 'sha256' | 'report' | 'created_at'>;
export type OutboxRow = Selectable<OutboxTable>;
export type ScannerCanaryRow = Selectable<ScannerCanariesTable>;
export type RunRow = Selectable<RunsTable>;
export type RunActionRow = Selectable<RunActionsTable>;
