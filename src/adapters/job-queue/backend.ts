import type { JobsOptions } from 'bullmq';
import type { BackoffLimits } from './backoff.ts';
import type { DeliveredJob } from './processor.ts';

/** What a BullMQ queue is used for. */
export interface QueueHandle {
  add(name: string, data: unknown, options: JobsOptions): Promise<unknown>;
  close(): Promise<void>;
}

/** What a BullMQ worker is used for. */
export interface WorkerHandle {
  /** Stops taking jobs; resolves when the running ones are done. */
  close(): Promise<void>;
}

export interface WorkerSettings {
  readonly concurrency: number;
  readonly lockMs: number;
  readonly maxStalledCount: number;
  readonly backoff: BackoffLimits;
  readonly onLost: (jobIds: readonly string[]) => void;
}

/** BullMQ on one server: connections are shared by all its queues and workers, and belong to it. */
export interface Backend {
  readonly name: string;
  openQueue(name: string): QueueHandle;
  startWorker(
    name: string,
    processor: (job: DeliveredJob, token?: string) => Promise<void>,
    settings: WorkerSettings,
  ): Promise<WorkerHandle>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
