import { systemSleep, throwIfAborted } from '../../services/retry.ts';

/** Lets bytes pass at a rate that all who share it keep together. */
export interface Throttle {
  /** Waits until these bytes may have been read. Errors: ABORTED. */
  take(bytes: number, signal: AbortSignal): Promise<void>;
}

/** Shorter waits are saved up: a timer is not more exact. Milliseconds. */
const SHORTEST_WAIT_MS = 5;

/** After a pause it does not make up for lost time: no burst. */
export function createThrottle(
  bytesPerSecond: number,
  now: () => number = () => performance.now(),
): Throttle {
  let freeAt = now();
  return {
    async take(bytes, signal) {
      throwIfAborted(signal);
      freeAt = Math.max(freeAt, now()) + (bytes / bytesPerSecond) * 1000;
      const wait = freeAt - now();
      if (wait < SHORTEST_WAIT_MS) return;
      try {
        await systemSleep(wait, signal);
      } catch (error) {
        throwIfAborted(signal);
        throw error;
      }
    },
  };
}
