import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fallback } from '#src/adapters/rate-limiter/fallback.ts';
import { createMemoryRateLimiter } from '#src/adapters/rate-limiter/memory.ts';
import { createPostgresRateLimiter } from '#src/adapters/rate-limiter/postgres.ts';
import { createRedisRateLimiter } from '#src/adapters/rate-limiter/redis.ts';
import { createSideConnection } from '#src/adapters/redis/side-connection.ts';
import type { Log } from '#src/ports/log.ts';
import { until } from '#test/support/app.ts';
import { createTestDatabase } from '#test/support/database.ts';
import { recordingLog } from '#test/support/recording-log.ts';
import { hasRedisServer, type RedisServer, startRedisServer } from '#test/support/redis-server.ts';
import { silentLog } from '#test/support/silent-log.ts';
import { describeRateLimiter } from './rate-limiter.contract.ts';

const missing = hasRedisServer() ? undefined : 'redis-server is not installed';
const LIMIT = { name: 'test', quota: 2, windowSeconds: 60 };

describeRateLimiter({
  name: 'memory',
  isShared: false,
  start: async () => ({ open: createMemoryRateLimiter, stop: async () => {} }),
});

describeRateLimiter({
  name: 'PostgreSQL',
  isShared: true,
  async start() {
    const database = await createTestDatabase();
    const { connection } = database;
    const open = () => createPostgresRateLimiter({ connection, fallback: 'refuse', log: silentLog });
    return { open, stop: () => database.close() };
  },
});

describeRateLimiter({
  name: 'Redis',
  isShared: true,
  missing,
  async start() {
    const server = await startRedisServer();
    const limiters = [await onRedis(server, 'refuse'), await onRedis(server, 'refuse')];
    return { open: () => limiters.pop() ?? createMemoryRateLimiter(), stop: () => server.stop() };
  },
});

async function onRedis(server: Pick<RedisServer, 'url'>, fallback: Fallback, log: Log = silentLog) {
  const connection = await createSideConnection({ url: server.url, purpose: 'limits', log });
  await until('Redis to answer', async () => (connection.client.status === 'ready' ? true : null));
  return createRedisRateLimiter({ connection, prefix: 'test', fallback });
}

describe.skipIf(missing !== undefined)('while Redis does not answer', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server?.stop());

  test.each(['SIGSTOP', 'SIGKILL'] as const)(
    'after %s, each process counts for itself or refuses, soon, and the log says so once',
    async (signal) => {
      const log = recordingLog();
      const counting = await onRedis(server, 'memory', log);
      const refusing = await onRedis(server, 'refuse');
      expect((await counting.take(LIMIT, signal)).left).toBe(1);
      if (signal === 'SIGSTOP') process.kill(server.pid, signal);
      else await server.stop();

      const began = performance.now();
      const answers = [];
      for (let count = 0; count < 50; count++) answers.push(await counting.take(LIMIT, signal));
      expect(answers.map(({ isAllowed }) => isAllowed)).toEqual([
        true,
        true,
        ...Array<boolean>(48).fill(false),
      ]);
      await expect(refusing.take(LIMIT, signal)).rejects.toMatchObject({ code: 'BUSY', retryAfter: 5 });
      expect(performance.now() - began).toBeLessThan(2_000);

      if (signal === 'SIGSTOP') process.kill(server.pid, 'SIGCONT');
      else server = await startRedisServer({ port: server.port });
      const key = `${signal} is over`;
      await until('Redis to be asked again', async () => {
        await counting.take(LIMIT, `${key}: counting`);
        const left = await refusing.take(LIMIT, key).then(
          (allowance) => allowance.left,
          () => null,
        );
        return left === null || log.lines.length < 2 ? null : true;
      });
      expect(log.lines.map(({ message }) => message)).toEqual([
        'the Redis for limits does not answer; it is left alone until it does',
        'the Redis for limits answers again',
      ]);
      await counting.close();
      await refusing.close();
    },
  );
});
