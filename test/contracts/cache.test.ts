import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMemoryCache } from '#src/adapters/cache/memory.ts';
import { createRedisCache } from '#src/adapters/cache/redis.ts';
import { createSideConnection } from '#src/adapters/redis/side-connection.ts';
import type { Log } from '#src/ports/log.ts';
import { until } from '#test/support/app.ts';
import { recordingLog } from '#test/support/recording-log.ts';
import { hasRedisServer, type RedisServer, startRedisServer } from '#test/support/redis-server.ts';
import { silentLog } from '#test/support/silent-log.ts';
import { describeCache, kindOf } from './cache.contract.ts';

const missing = hasRedisServer() ? undefined : 'redis-server is not installed';
const SECRET = Buffer.alloc(32, 7);

describeCache({
  name: 'memory',
  isShared: false,
  start: async () => ({ open: async (maxBytes) => createMemoryCache({ maxBytes }), stop: async () => {} }),
});

describeCache({
  name: 'Redis',
  isShared: true,
  missing,
  async start() {
    const server = await startRedisServer();
    return { open: (maxBytes) => onRedis(server, { maxBytes }), stop: () => server.stop() };
  },
});

async function onRedis(
  server: Pick<RedisServer, 'url'>,
  {
    log = silentLog,
    maxBytes = 0,
    secret = SECRET,
  }: { log?: Log; maxBytes?: number; secret?: Uint8Array } = {},
) {
  const connection = await createSideConnection({ url: server.url, purpose: 'cache', log });
  const cache = createRedisCache({ connection, prefix: 'test', secret, maxBytes });
  await until('Redis to answer', async () => (connection.client.status === 'ready' ? true : null));
  return cache;
}

test('a cache in memory keeps what was used last, up to its size, and nothing when that is 0', async () => {
  const cache = createMemoryCache({ maxBytes: 10_000 });
  const entries = Array.from({ length: 20 }, (_, index) => ({
    kind: kindOf('test'),
    key: `${index}`,
    version: '',
  }));
  const kept = async (from = cache) => {
    const found = await Promise.all(entries.map((entry) => from.get(entry)));
    return found.flatMap((value, index) => (value === undefined ? [] : [index]));
  };
  for (const entry of entries) await cache.set(entry, { text: 'x'.repeat(1_000) });
  expect(await kept()).toEqual([13, 14, 15, 16, 17, 18, 19]);
  const none = createMemoryCache({ maxBytes: 0 });
  for (const entry of entries) await none.set(entry, { text: 'x' });
  expect(await kept(none)).toEqual([]);
});

describe.skipIf(missing !== undefined)('in Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedisServer();
    redis = new Redis(server.url);
    redis.on('error', () => {});
  });
  afterAll(async () => {
    redis?.disconnect();
    await server?.stop();
  });

  const entry = (key = randomUUID()) => ({ kind: kindOf('test'), key, version: '1' });
  const placeOf = ({ key }: { readonly key: string }) => `test:cache:test:${key}`;

  test('a value that was changed, cut, exchanged or written by others is as none', async () => {
    const cache = await onRedis(server);
    const [mine, another] = [entry(), entry()];
    await cache.set(mine, { text: 'mine' });
    await cache.set(another, { text: 'another' });
    const sealed = (await redis.get(placeOf(mine))) ?? '';
    const poisons = [
      sealed.replace('mine', 'evil'),
      sealed.slice(0, -1),
      sealed.slice(10),
      (await redis.get(placeOf(another))) ?? '',
      '{"text":"mine"}',
      '',
      'x'.repeat(1_000_000),
    ];
    for (const poison of poisons) {
      await redis.set(placeOf(mine), poison);
      expect(await cache.get(mine)).toBeUndefined();
    }
    await redis.del(placeOf(mine));
    await redis.lpush(placeOf(mine), 'a list');
    expect(await cache.get(mine)).toBeUndefined();
    const stranger = await onRedis(server, { secret: Buffer.alloc(32, 8) });
    await redis.del(placeOf(mine));
    await stranger.set(mine, { text: 'mine' });
    expect(await cache.get(mine)).toBeUndefined();
    expect(await cache.through(mine, async () => ({ text: 'the truth' }))).toEqual({ text: 'the truth' });
    await until('the poison to be replaced', async () => (await cache.get(mine)) ?? null);
    await cache.close();
    await stranger.close();
  });

  test('every value ends by itself, and none is left of what was forgotten', async () => {
    const cache = await onRedis(server);
    const some = entry();
    await cache.set(some, { text: 'one' });
    const ttl = await redis.ttl(placeOf(some));
    expect(ttl).toBeGreaterThan(55);
    await cache.forget('test', [some.key]);
    expect(await redis.exists(placeOf(some))).toBe(0);
    await cache.close();
  });

  test.each(['FLUSHALL', 'SIGSTOP', 'SIGKILL', 'full'] as const)(
    '%s costs nothing but making it again, soon, and the log tells of silence once',
    async (fault) => {
      const log = recordingLog();
      const cache = await onRedis(server, { log });
      const known = entry();
      await cache.set(known, { text: 'kept' });
      if (fault === 'FLUSHALL') await redis.flushall();
      if (fault === 'SIGSTOP') process.kill(server.pid, fault);
      if (fault === 'SIGKILL') await server.stop();
      if (fault === 'full') await redis.config('SET', 'maxmemory', '1');

      const began = performance.now();
      let made = 0;
      const ask = (key: string) =>
        cache.through({ ...known, key }, async () => {
          made += 1;
          return { text: 'made' };
        });
      for (let count = 0; count < 50; count++) await ask(`${fault} ${count}`);
      expect(made).toBe(50);
      expect(await ask(known.key)).toEqual({ text: fault === 'full' ? 'kept' : 'made' });
      expect(performance.now() - began).toBeLessThan(2_000);

      if (fault === 'SIGSTOP') process.kill(server.pid, 'SIGCONT');
      if (fault === 'SIGKILL') server = await startRedisServer({ port: server.port });
      if (fault === 'full') await redis.config('SET', 'maxmemory', '0');
      const after = entry();
      await until('it to be kept again', async () => {
        await cache.set(after, { text: 'again' });
        return (await cache.get(after)) ?? null;
      });
      const messages = log.lines.map(({ message }) => message);
      expect(messages).toEqual(
        fault === 'FLUSHALL' || fault === 'full'
          ? []
          : [
              'the Redis for cache does not answer; it is left alone until it does',
              'the Redis for cache answers again',
            ],
      );
      await cache.close();
    },
  );
});
