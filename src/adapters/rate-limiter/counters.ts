import { RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import type { Allowance, RateLimit, RateLimiter } from '#src/ports/rate-limiter.ts';

/** Makes the counters of one limit on some store. */
export type MakeCounters = (limit: RateLimit) => RateLimiterAbstract;

/** Counters of rate-limiter-flexible as the port wants them; those of a limit are made when it is first used. */
export function countOn(make: MakeCounters): Pick<RateLimiter, 'take' | 'giveBack'> {
  const made = new Map<string, RateLimiterAbstract>();
  const countersOf = (limit: RateLimit) => {
    const counters = made.get(limit.name) ?? make(limit);
    made.set(limit.name, counters);
    return counters;
  };

  return {
    async take(limit, key, cost = 1) {
      const counters = countersOf(limit);
      try {
        return allowance(true, limit, await counters.consume(key, cost));
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        // A refusal has been counted, too: a large one would keep small ones out that still fit.
        if (cost === 1) return allowance(false, limit, error);
        return allowance(false, limit, await counters.reward(key, cost));
      }
    },
    async giveBack(limit, key, cost) {
      await countersOf(limit).reward(key, cost);
    },
  };
}

function allowance(isAllowed: boolean, limit: RateLimit, found: RateLimiterRes): Allowance {
  return {
    isAllowed,
    left: Math.max(0, limit.quota - found.consumedPoints),
    resetSeconds: Math.max(0, found.msBeforeNext) / 1000,
  };
}
