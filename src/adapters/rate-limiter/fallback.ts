import { StorageError } from '#src/domain/errors.ts';
import type { RateLimiter } from '#src/ports/rate-limiter.ts';
import { createMemoryRateLimiter } from './memory.ts';

/** While the store does not answer: each process counts for itself, or what is limited is refused. */
export type Fallback = 'memory' | 'refuse';

const RETRY_SECONDS = 5;

type Counting = Pick<RateLimiter, 'take' | 'giveBack'>;

/** Counters that do without their store while it does not answer. What was given back meanwhile is lost with its window. */
export function withFallback(counters: Counting, fallback: Fallback): Counting {
  const memory = createMemoryRateLimiter();
  return {
    async take(...request) {
      try {
        return await counters.take(...request);
      } catch (error) {
        if (fallback === 'memory') return memory.take(...request);
        throw new StorageError('BUSY', 'The service cannot take this at the moment; try again shortly.', {
          retryAfter: RETRY_SECONDS,
          cause: error,
        });
      }
    },
    giveBack: (...request) => counters.giveBack(...request).catch(() => undefined),
  };
}
