import type { FileId } from '#src/domain/ids.ts';
import { createUsageTally, type Tallied } from '#src/domain/usage-tally.ts';
import type { Delivery } from '#src/domain/usage.ts';
import type { Clock } from '#src/ports/clock.ts';
import type { Log } from '#src/ports/log.ts';
import { isRobot } from '../robots.ts';

/** An answer of the edge. */
export interface EdgeAnswer {
  /** Of the photo; null when it was something else, or nothing. */
  readonly fileId: FileId | null;
  readonly method: string;
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
  readonly rangeStart: number | null;
  readonly delivery: Delivery;
  readonly userAgent: string | undefined;
}

/** What the edge tells of what it serves. */
export interface EdgeUsage {
  note(answer: EdgeAnswer): void;
}

export interface UsageLog extends EdgeUsage {
  /** Writes what is waiting. */
  flush(): Promise<void>;
  /** The same, and takes no more. */
  close(): Promise<void>;
}

export interface UsageLogOptions {
  /** Keeps what was counted: all of it, or it fails. */
  readonly write: (tallied: Tallied) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  /** Photos that wait at most while nothing can be written; views of more are passed over. */
  readonly maxWaiting?: number;
  readonly flushMs?: number;
}

/** Views are as exact as this. */
const TICK_MS = 1_000;

/**
 * Counts in memory what is served, and writes it in batches: a view costs no query. A process that dies loses at most what
 * waits, which is a minute; one that ends writes it.
 */
export function createUsageLog({
  write,
  clock,
  log,
  maxWaiting = 20_000,
  flushMs = 60_000,
}: UsageLogOptions): UsageLog {
  const tally = createUsageTally();
  let at = clock.now();
  let failed: Tallied | null = null;
  let writing: Promise<void> | null = null;
  let isClosed = false;

  const writeBatch = async () => {
    const batch = failed ?? tally.take();
    failed = null;
    if (batch.deliveries.length === 0) return;
    try {
      await write(batch);
    } catch (error) {
      failed = batch;
      log.warn({ err: error, photos: batch.photos.length }, 'usage could not be written, and is tried again');
    }
  };
  const flush = () => {
    writing ??= writeBatch().finally(() => {
      writing = null;
    });
    return writing;
  };
  const timers = [
    setInterval(() => void flush(), flushMs).unref(),
    setInterval(() => {
      at = clock.now();
    }, TICK_MS).unref(),
  ];

  return {
    note({ userAgent, fileId, ...answer }) {
      if (isClosed) return;
      const isFull = tally.size >= maxWaiting;
      if (isFull && failed === null) void flush();
      tally.add({ ...answer, at, isRobot: isRobot(userAgent) }, isFull ? null : fileId);
    },
    flush,
    async close() {
      for (const timer of timers) clearInterval(timer);
      isClosed = true;
      await writing;
      await flush();
      if (failed === null) await flush();
    },
  };
}
