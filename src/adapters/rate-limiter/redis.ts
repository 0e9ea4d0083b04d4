import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { RateLimiter } from '#src/ports/rate-limiter.ts';
import type { SideConnection } from '../redis/side-connection.ts';
import { countOn } from './counters.ts';
import { type Fallback, withFallback } from './fallback.ts';

/** Counters in Redis, on a connection that gives up soon; it is closed with them. */
export function createRedisRateLimiter(options: {
  readonly connection: SideConnection;
  /** Begins the name of every key, so that several installations share a server. */
  readonly prefix: string;
  readonly fallback: Fallback;
}): RateLimiter {
  const { connection, prefix } = options;
  const counters = countOn(
    ({ name, quota, windowSeconds }) =>
      new RateLimiterRedis({
        storeClient: connection.client,
        keyPrefix: `${prefix}:limit:${name}`,
        points: quota,
        duration: windowSeconds,
      }),
  );
  const asking = {
    take: (...request: Parameters<RateLimiter['take']>) => connection.ask(() => counters.take(...request)),
    giveBack: (...request: Parameters<RateLimiter['giveBack']>) =>
      connection.ask(() => counters.giveBack(...request)),
  };
  return {
    name: 'redis',
    ...withFallback(asking, options.fallback),
    async close() {
      connection.close();
    },
  };
}
