import { isStorageError } from '#src/domain/errors.ts';

export interface BackoffLimits {
  /** Upper bound of the first pause; doubles with each try. Milliseconds. */
  readonly baseMs: number;
  /** No pause is longer. Milliseconds. */
  readonly maxMs: number;
}

/**
 * Milliseconds before try `failures + 1`: exponential with full jitter, uniform in
 * [0, min(maxMs, baseMs · 2^(failures−1))] (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture
 * Blog, 2015). An error that says when to come back (`retryAfter`) is not asked sooner, but `maxMs` holds.
 */
export function backoffDelay(
  failures: number,
  error: unknown,
  limits: BackoffLimits,
  random: () => number = Math.random,
): number {
  const ceiling = Math.min(limits.maxMs, limits.baseMs * 2 ** Math.max(0, failures - 1));
  const asked = isStorageError(error) ? (error.retryAfter ?? 0) * 1000 : 0;
  return Math.round(Math.min(limits.maxMs, Math.max(asked, random() * ceiling)));
}
