import { setTimeout as wait } from 'node:timers/promises';
import { isStorageError, StorageError } from '../domain/errors.ts';

export interface RetryPolicy {
  /** Calls in all, the first included. */
  readonly attempts: number;
  /** Upper bound of the first wait; it doubles with every further one. */
  readonly baseMs: number;
  /** Upper bound of any wait. */
  readonly capMs: number;
}

/** Up to 3.1 s of waiting, 1.6 s on average: rides out a throttled second, not an outage. */
export const DEFAULT_RETRY: RetryPolicy = { attempts: 6, baseMs: 100, capMs: 5_000 };

/** Resolves after `ms`; rejects when the signal aborts. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

export interface RetryOptions {
  readonly policy: RetryPolicy;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly sleep: Sleep;
  readonly signal?: AbortSignal | undefined;
  /** Asked besides the error's code: false when this call cannot be made again. */
  readonly mayRepeat?: () => boolean;
}

/**
 * Calls `work` (with 1, 2, …) until it succeeds, fails with a code that is not retryable, or has had its attempts;
 * the last error is thrown. Waits at least as long as the error's `retryAfter` says. Errors: ABORTED, and work's.
 */
export async function withRetry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { policy, random, sleep, signal, mayRepeat = () => true } = options;
  for (let attempt = 1; ; attempt += 1) {
    throwIfAborted(signal);
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= policy.attempts || !isStorageError(error) || !error.retryable || !mayRepeat())
        throw error;
      await pause(
        Math.max(fullJitter(attempt, policy, random()), (error.retryAfter ?? 0) * 1000),
        sleep,
        signal,
      );
    }
  }
}

/**
 * Milliseconds to wait after failure number `attempt` (1, 2, …): uniform between 0 and min(cap, base · 2^(attempt−1)).
 * "Full Jitter" of Marc Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015: spreading the waits
 * over the whole interval makes many callers finish with the fewest calls.
 */
export function fullJitter(
  attempt: number,
  policy: Pick<RetryPolicy, 'baseMs' | 'capMs'>,
  random: number,
): number {
  return random * Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1));
}

export const systemSleep: Sleep = async (ms, signal) => {
  await wait(ms, undefined, signal === undefined ? {} : { signal });
};

async function pause(ms: number, sleep: Sleep, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, signal);
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
}

/** Errors: ABORTED. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new StorageError('ABORTED', undefined, { cause: signal.reason });
}
