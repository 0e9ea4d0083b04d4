import type { FastifyReply, FastifyRequest } from 'fastify';
import { StorageError } from '#src/domain/errors.ts';
import type { HttpLimits } from './deps.ts';
import { countRequest, type RequestRates } from './rate-limits.ts';

type UploadRates = Pick<RequestRates, 'limiters' | 'uploadsPerMinute' | 'uploadBytesPerHour'>;

/** How many requests may wait for a slot, as a multiple of the slots, and for how long. */
const QUEUE_FACTOR = 8;
const QUEUE_WAIT_MS = 20_000;

const UPLOAD_WINDOW = { name: 'upload', windowSeconds: 60 };
const BYTES_WINDOW = { name: 'upload-bytes', windowSeconds: 3600 };

/** A request with its answer. */
interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export interface UploadLimits {
  /**
   * Counts one upload of a caller and its bytes, of which it may have announced too many: the function takes the number that
   * came, and gives the others back. RATE_LIMITED with the seconds until there is room again.
   */
  count(exchange: Exchange, caller: string, bytes: number): Promise<(received: number) => Promise<void>>;
  /**
   * Waits for a place among those whose bytes are being received; the function gives it back and may be called
   * twice. BUSY when too many wait, or for too long.
   */
  slot(signal: AbortSignal): Promise<() => void>;
}

/** Bounds on uploads: a rate for each caller, in files and in bytes, and in this process a number at one time for all. */
export function createUploadLimits(
  limits: HttpLimits,
  { limiters, uploadsPerMinute, uploadBytesPerHour }: UploadRates,
): UploadLimits {
  const files = { ...UPLOAD_WINDOW, quota: uploadsPerMinute };
  const bytesLimit = { ...BYTES_WINDOW, quota: uploadBytesPerHour };
  const slots = createSlots(limits.concurrentUploads, limits.concurrentUploads * QUEUE_FACTOR);

  return {
    async count(exchange, caller, bytes) {
      await countRequest(limiters.uploads, exchange, files, caller);
      await countRequest(limiters.uploads, exchange, bytesLimit, caller, bytes);
      return async (received) => {
        if (received < bytes) await limiters.uploads.giveBack(bytesLimit, caller, bytes - received);
      };
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
