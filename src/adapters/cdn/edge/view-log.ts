import { parsePublicKey } from '#src/domain/keys.ts';
import type { Log } from '#src/ports/log.ts';

/** What the edge tells of what it serves. */
export interface EdgeViews {
  /** Rises from time to time: an object is noted once in each epoch, so that a hot one costs a comparison. */
  readonly epoch: number;
  note(key: string): void;
}

export interface ViewLog extends EdgeViews {
  /** Writes what is waiting. */
  flush(): Promise<void>;
  /** The same, and takes no more. */
  close(): Promise<void>;
}

export interface ViewLogOptions {
  /** Keeps that these files were looked at. */
  readonly write: (fileIds: readonly string[]) => Promise<void>;
  readonly log: Log;
  /** Files that wait at most; more are passed over until the next epoch. */
  readonly maxWaiting?: number;
  readonly flushMs?: number;
  readonly epochMs?: number;
}

/**
 * Gathers in memory which photos were looked at and writes them in batches: a view costs no query, and what is known of
 * one is exact to the epoch. A process that dies loses at most what waits; rules that go by views count in months.
 */
export function createViewLog({
  write,
  log,
  maxWaiting = 20_000,
  flushMs = 60_000,
  epochMs = 3_600_000,
}: ViewLogOptions): ViewLog {
  let epoch = 1;
  let waiting = new Set<string>();
  let writing: Promise<void> | null = null;
  let isClosed = false;

  const writeBatch = async () => {
    const batch = waiting;
    waiting = new Set();
    if (batch.size === 0) return;
    try {
      await write([...batch]);
    } catch (error) {
      log.warn({ err: error, files: batch.size }, 'views could not be noted, and are tried again');
      for (const id of batch) if (waiting.size < maxWaiting) waiting.add(id);
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
      epoch += 1;
    }, epochMs).unref(),
  ];

  return {
    get epoch() {
      return epoch;
    },
    note(key) {
      if (isClosed || waiting.size >= maxWaiting) return;
      const file = parsePublicKey(key)?.fileId;
      if (file !== undefined) waiting.add(file);
    },
    flush,
    async close() {
      for (const timer of timers) clearInterval(timer);
      isClosed = true;
      await writing;
      await flush();
    },
  };
}
