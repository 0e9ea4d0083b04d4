/** Jobs and what they carry. The row is the truth: a payload only names it. */
export interface JobPayloads {
  readonly ingest: { readonly fileId: string; readonly generation: number };
  readonly derive: { readonly fileId: string; readonly generation: number };
  readonly 'scan-document': { readonly fileId: string; readonly generation: number };
  readonly 'read-text': { readonly fileId: string; readonly generation: number };
}
export type JobName = keyof JobPayloads;

export interface EnqueueOptions {
  /** One job of this id waits at most: a second one is dropped while the first has not finished. No ":" in it. */
  readonly dedupeId?: string;
  readonly delayMs?: number;
  /** Smaller is sooner, default 10; the original comes before renditions. */
  readonly priority?: number;
}

export interface JobContext {
  readonly id: string;
  /** 1 on the first try. Tries that died with their process count; tries handed back at shutdown do not. */
  readonly attempt: number;
  /** True when a failure now will not be tried again. */
  readonly isLastAttempt: boolean;
  /**
   * True when every try is used up because processes died in them: the handler concludes (the file failed) and
   * does none of the work that may have killed them.
   */
  readonly isExhausted: boolean;
  /** Aborted at shutdown's deadline, and when the job was given to somebody else because this process stood still. */
  readonly signal: AbortSignal;
}

/**
 * Delivers jobs at least once; may lose, repeat, delay or reorder them: whoever enqueues also sweeps.
 * A handler that throws a retryable StorageError is called again with exponential backoff and jitter; any other
 * error, or the last attempt, ends the job.
 */
export interface JobQueue {
  readonly name: string;
  enqueue<Name extends JobName>(
    name: Name,
    payload: JobPayloads[Name],
    options?: EnqueueOptions,
  ): Promise<void>;
  /** Starts taking jobs of that name. */
  work<Name extends JobName>(
    name: Name,
    handler: (payload: JobPayloads[Name], context: JobContext) => Promise<void>,
    options: { readonly concurrency: number },
  ): Promise<void>;
  ping(signal?: AbortSignal): Promise<void>;
  /** Stops taking jobs, waits for running ones up to `deadlineMs`, then aborts them and hands them back. */
  close(deadlineMs?: number): Promise<void>;
}
