import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { StorageError } from '#src/domain/errors.ts';
import type { HttpLimits } from './deps.ts';

/** How many requests may wait for a slot, as a multiple of the slots, and for how long. */
const QUEUE_FACTOR = 8;
const QUEUE_WAIT_MS = 20_000;

export interface UploadLimits {
  /** Counts one upload of a caller. RATE_LIMITED with the seconds until the next is allowed. */
  count(caller: string): Promise<void>;
  /**
   * Waits for a place among those whose bytes are being received; the function gives it back and may be called
   * twice. BUSY when too many wait, or for too long.
   */
  slot(signal: AbortSignal): Promise<() => void>;
}

/** Bounds on uploads of this process: a rate for each caller and a number at one time for all. */
export function createUploadLimits(limits: HttpLimits): UploadLimits {
  const rate = new RateLimiterMemory({ points: limits.uploadsPerMinute, duration: 60, keyPrefix: 'upload' });
  const slots = createSlots(limits.concurrentUploads, limits.concurrentUploads * QUEUE_FACTOR);

  return {
    async count(caller) {
      try {
        await rate.consume(caller);
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        throw new StorageError('RATE_LIMITED', 'Too many uploads within a minute; wait a moment.', {
          retryAfter: error.msBeforeNext / 1000,
        });
      }
    },
    slot: (signal) => slots.acquire(signal),
  };
}

interface Waiter {
  readonly admit: () => void;
  readonly refuse: (error: StorageError) => void;
}

function createSlots(size: number, maxWaiting: number) {
  let taken = 0;
  const waiting = new Set<Waiter>();

  const release = () => {
    const [next] = waiting;
    if (next === undefined) taken -= 1;
    else next.admit();
  };
  const releaseOnce = () => {
    let released = false;
    return () => {
      if (!released) release();
      released = true;
    };
  };

  return {
    acquire(signal: AbortSignal): Promise<() => void> {
      if (taken < size) {
        taken += 1;
        return Promise.resolve(releaseOnce());
      }
      if (waiting.size >= maxWaiting) return Promise.reject(busy());
      return new Promise((resolve, reject) => {
        const settle = () => {
          waiting.delete(waiter);
          clearTimeout(timer);
          signal.removeEventListener('abort', abort);
        };
        const waiter: Waiter = {
          admit: () => {
            settle();
            resolve(releaseOnce());
          },
          refuse: (error) => {
            settle();
            reject(error);
          },
        };
        const abort = () => waiter.refuse(new StorageError('ABORTED'));
        const timer = setTimeout(() => waiter.refuse(busy()), QUEUE_WAIT_MS);
        signal.addEventListener('abort', abort, { once: true });
        waiting.add(waiter);
      });
    },
  };
}

function busy(): StorageError {
  return new StorageError('BUSY', 'Too many uploads at the moment; try again shortly.', { retryAfter: 3 });
}
