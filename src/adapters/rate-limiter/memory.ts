import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { RateLimiter } from '#src/ports/rate-limiter.ts';
import { countOn } from './counters.ts';

/** Counters of this process alone: several processes allow several times as much. */
export function createMemoryRateLimiter(): RateLimiter {
  return {
    name: 'memory',
    ...countOn(
      ({ name, quota, windowSeconds }) =>
        new RateLimiterMemory({ keyPrefix: name, points: quota, duration: windowSeconds }),
    ),
    async close() {},
  };
}
