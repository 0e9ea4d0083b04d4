import pg from 'pg';
import { RateLimiterPostgres } from 'rate-limiter-flexible';
import type { Log } from '#src/ports/log.ts';
import type { RateLimiter } from '#src/ports/rate-limiter.ts';
import { createBreaker } from '../breaker.ts';
import { countOn } from './counters.ts';
import { type Fallback, withFallback } from './fallback.ts';

const CONNECTIONS = 2;
const ANSWER_MS = 1_000;

/**
 * Counters in a table that is not logged: a crash of the server forgets them. What is counted costs a write, so it is
 * meant for what is seldom, such as uploads.
 */
export function createPostgresRateLimiter(options: {
  readonly connection: pg.ClientConfig;
  readonly fallback: Fallback;
  readonly log: Log;
}): RateLimiter {
  const pool = new pg.Pool({
    ...options.connection,
    max: CONNECTIONS,
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: ANSWER_MS,
    application_name: 'localex-storage rate limits',
  });
  // What it complains of is told by the breaker, once.
  pool.on('error', () => {});
  const breaker = createBreaker({ server: 'the table of rate limits', log: options.log });
  const counters = countOn(
    ({ name, quota, windowSeconds }) =>
      new RateLimiterPostgres({
        storeClient: pool,
        storeType: 'pool',
        tableName: 'rate_limits',
        tableCreated: true,
        keyPrefix: name,
        points: quota,
        duration: windowSeconds,
      }),
  );
  const asking = {
    take: (...request: Parameters<RateLimiter['take']>) => breaker.run(() => counters.take(...request)),
    giveBack: (...request: Parameters<RateLimiter['giveBack']>) =>
      breaker.run(() => counters.giveBack(...request)),
  };
  return { name: 'postgres', ...withFallback(asking, options.fallback), close: () => pool.end() };
}
