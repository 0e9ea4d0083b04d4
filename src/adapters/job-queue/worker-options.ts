import type { WorkerSettings } from './backend.ts';
import { backoffDelay } from './backoff.ts';

/** BullMQ's event stream has no reader here; its default length is 10,000. */
export const EVENTS_KEPT = 100;
/** After the server was away, workers ask again so often. BullMQ's own 15 s would outlast the locks. Milliseconds. */
const RECONNECT_PAUSE_MS = 1_000;

/**
 * The options both backends share.
 *
 * A worker that dies leaves its job locked for at most `lockMs`; a check finds it within two intervals more (each
 * check is skipped when another process has just made one). With `lockMs` 6000 that is at most 10 s.
 */
export function workerOptions(settings: WorkerSettings) {
  return {
    concurrency: settings.concurrency,
    lockDuration: settings.lockMs,
    stalledInterval: Math.ceil(settings.lockMs / 3),
    maxStalledCount: settings.maxStalledCount,
    runRetryDelay: RECONNECT_PAUSE_MS,
    settings: {
      backoffStrategy: (attemptsMade: number, _type?: string, error?: Error) =>
        backoffDelay(attemptsMade, error, settings.backoff),
    },
  };
}

/** A worker that cannot begin is closed again. */
export async function whenReady<W extends { waitUntilReady(): Promise<void>; close(): Promise<void> }>(
  worker: W,
): Promise<W> {
  try {
    await worker.waitUntilReady();
    return worker;
  } catch (error) {
    await worker.close();
    throw error;
  }
}
