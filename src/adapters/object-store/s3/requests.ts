import { setTimeout as wait } from 'node:timers/promises';
import { StorageError } from '../../../domain/errors.ts';
import { aborted, classify, throwIfAborted } from './failures.ts';
import { createInFlight } from './in-flight.ts';

/** Milliseconds for which a call is repeated before its failure is passed on. */
export interface Patience {
  /** Somebody waits for the answer, or a job that comes again. */
  readonly readMs: number;
  /** Bytes have been received that would have to be sent again. */
  readonly writeMs: number;
}

/** Longer than the half minute of SlowDown that a bucket takes to scale up, shorter than a client waits for an upload. */
export const DEFAULT_PATIENCE: Patience = { readMs: 8_000, writeMs: 60_000 };

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** From {@link Patience}. */
  readonly patienceMs: number;
  /** What a failed precondition means (VERSION_CONFLICT). */
  readonly unmet?: 'VERSION_CONFLICT' | 'ALREADY_EXISTS';
}

/** Makes one request of S3 until it succeeds; `work` is called with 1, 2, … Errors: what `classify` says. */
export type Request = <T>(work: (attempt: number) => Promise<T>, options: RequestOptions) => Promise<T>;

/**
 * The one place that repeats requests: the SDK's own retries are off (`maxAttempts: 1`), and `StorageService` makes one
 * call (`retriesItself`). Only here is known that a part of an upload can be sent again when its source cannot, how long
 * the server asked to wait, and that the caller has gone. docs/decisions/0009-s3-adapter.md.
 */
export function createRequests({
  maxInFlight,
  random = Math.random,
}: {
  readonly maxInFlight: number;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}): Request {
  const inFlight = createInFlight(maxInFlight);
  return async (work, { signal, patienceMs, unmet }) => {
    const deadline = performance.now() + patienceMs;
    for (let attempt = 1; ; attempt += 1) {
      throwIfAborted(signal);
      await inFlight.enter(signal);
      let throttled = false;
      let waitMs: number;
      try {
        return await work(attempt);
      } catch (error) {
        const failure = classify(error, signal, unmet);
        throttled = failure.throttled;
        waitMs = Math.max(backoffMs(attempt, throttled, random()), retryAfterMs(failure.error));
        if (!failure.again || performance.now() + waitMs > deadline) throw failure.error;
      } finally {
        inFlight.leave(throttled);
      }
      await pause(waitMs, signal);
    }
  };
}

const CAP_MS = 5_000;
const BASE_MS = 50;
/** The SDK's own base after throttling (`@smithy/util-retry`, THROTTLING_RETRY_DELAY_BASE). */
const THROTTLED_BASE_MS = 500;

/**
 * Milliseconds to wait after failure number `attempt` (1, 2, …): "Full Jitter" of Marc Brooker, "Exponential Backoff and
 * Jitter", AWS Architecture Blog, 2015.
 */
export function backoffMs(attempt: number, throttled: boolean, random: number): number {
  return random * Math.min(CAP_MS, (throttled ? THROTTLED_BASE_MS : BASE_MS) * 2 ** (attempt - 1));
}

function retryAfterMs(error: unknown): number {
  return error instanceof StorageError ? (error.retryAfter ?? 0) * 1000 : 0;
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await wait(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (signal?.aborted) throw aborted(signal);
    throw error;
  }
}
