import { isStorageError, StorageError } from '../../domain/errors.ts';
import { type RetryPolicy, type Sleep, throwIfAborted, withRetry } from '../retry.ts';
import type { Measurement } from './types.ts';

export interface CallOptions {
  /** Asked for every call: it depends on the driver. */
  readonly policy: () => RetryPolicy;
  readonly random: () => number;
  readonly sleep: Sleep;
  readonly onMeasure: ((measurement: Measurement) => void) | undefined;
}

/** Repeats a driver's call while that may help and `mayRepeat` says it can be made again. */
export type Retry = <T>(work: (attempt: number) => Promise<T>, mayRepeat?: () => boolean) => Promise<T>;

/** Makes one call of the service: cancelled, retried, measured and its failure classified, all in one place. */
export type Call = <T>(
  operation: string,
  signal: AbortSignal | undefined,
  work: (retry: Retry) => Promise<T>,
) => Promise<T>;

export function createCall({ policy, random, sleep, onMeasure }: CallOptions): Call {
  return async (operation, signal, work) => {
    const began = performance.now();
    let attempts = 0;
    const measure = (code: Measurement['code']) =>
      onMeasure?.({ operation, ms: performance.now() - began, attempts, code });
    const retry: Retry = (repeated, mayRepeat = () => true) =>
      withRetry(
        (attempt) => {
          attempts += 1;
          return repeated(attempt);
        },
        { policy: policy(), random, sleep, signal, mayRepeat },
      );
    try {
      throwIfAborted(signal);
      const result = await work(retry);
      measure(null);
      return result;
    } catch (error) {
      const classified = classify(error, signal);
      measure(classified.code);
      throw classified;
    }
  };
}

/** Drivers classify what they know; whatever else comes out of one is a fault of ours. */
function classify(error: unknown, signal: AbortSignal | undefined): StorageError {
  if (isStorageError(error)) return error;
  return new StorageError(signal?.aborted ? 'ABORTED' : 'INTERNAL', undefined, { cause: error });
}
