import type { PurgeTicket } from './cdn.ts';

/** A path that is waiting to be purged. */
export interface PendingPurge {
  readonly id: number;
  readonly path: string;
}

/** Paths that go to the CDN in one call, or are on their way. */
export interface PurgeBatch {
  readonly id: string;
  /** Names the call: the same call twice is one purge. */
  readonly callerReference: string;
  /** Without a slash in front. */
  readonly paths: readonly string[];
  /** How the CDN names it; null while it is not known to have arrived. */
  readonly invalidationId: string | null;
  /** Calls and questions that failed in a row. */
  readonly attempts: number;
  /** Whether its next call or question is due. */
  readonly isDue: boolean;
}

export type NewPurgeBatch = Pick<PurgeBatch, 'id' | 'callerReference' | 'paths'>;

/** What is to be purged, kept so that whoever dies, another goes on: no path is lost, none is purged unnamed. */
export interface PurgeLedger {
  /** Writes paths down, all or none. */
  add(paths: readonly string[]): Promise<PurgeTicket>;
  isDone(ticket: PurgeTicket): Promise<boolean>;
  /** Oldest first. */
  listPending(limit: number): Promise<readonly PendingPurge[]>;
  /** Batches that are not completed, oldest first. */
  listOpen(): Promise<readonly PurgeBatch[]>;
  /** Puts pending paths into a batch before it is sent. False when another has taken one of them meanwhile. */
  form(batch: NewPurgeBatch, pending: readonly number[]): Promise<boolean>;
  /** The CDN has it under that id; ask again after `askAfterMs`. */
  sent(batchId: string, invalidationId: string, askAfterMs: number): Promise<void>;
  /** Ask again after `askAfterMs`. */
  stillOpen(batchId: string, askAfterMs: number): Promise<void>;
  /** A call failed; the next is due after `delayMs`. `reason` for people. */
  failed(batchId: string, delayMs: number, reason: string): Promise<void>;
  /** Gives up one batch for others that together cover its paths. */
  replace(batchId: string, parts: readonly NewPurgeBatch[]): Promise<void>;
  /** Its paths are purged everywhere. */
  completed(batchId: string): Promise<void>;
  /** The CDN will never take it. Its paths count as done, with the reason kept. */
  abandoned(batchId: string, reason: string): Promise<void>;
}
