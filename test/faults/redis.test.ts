import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Photo } from '#src/http/schemas.ts';
import type { Client } from '#test/acceptance/client.ts';
import { distinctPhoto, until, untilDelivered } from '#test/support/app.ts';
import { hasRedisServer, type RedisServer, startRedisServer } from '#test/support/redis-server.ts';
import type { RunningService } from '#test/support/service.ts';
import { type CrashingService, crashingService } from './crashing-service.ts';

const missing = hasRedisServer() ? '' : ' (redis-server is not installed)';
const USER = 'localex';
const PASSWORD = 'hidden-word';
const ROUNDS = 24;
/** What was claimed from the outbox while Redis was away comes again after some pauses. */
const RECOVERY_MS = 60_000;
/** The sweep looks for what has been quiet for two minutes. */
const QUIET_HOURS = 0.05;
const ASYNC = { prefer: 'respond-async' };

const Ready = z.object({
  status: z.enum(['ready', 'degraded', 'unavailable']),
  checks: z.array(z.looseObject({ name: z.string(), ok: z.boolean(), degraded: z.boolean().optional() })),
});

interface Started {
  readonly service: RunningService;
  readonly client: Client;
}

describe.skipIf(missing !== '')(`two processes with Redis${missing}`, () => {
  let redis: RedisServer;
  let spy: Redis;
  let faulty: CrashingService;
  /** Does everything, and keeps galleries itself. */
  let one: Started;
  /** Answers requests only, and has every gallery from Redis. */
  let two: Started;
  let seller: string;
  let admin: string;

  const startRedis = (port?: number) =>
    startRedisServer({
      ...(port !== undefined && { port }),
      settings: ['--requirepass', PASSWORD, '--user', USER, 'on', `>${PASSWORD}`, '~*', '&*', '+@all'],
    });

  beforeAll(async () => {
    redis = await startRedis();
    spy = new Redis(redis.port, { username: USER, password: PASSWORD, retryStrategy: () => 50 });
    spy.on('error', () => {});
    faulty = await crashingService({
      REDIS_URL: `redis://${USER}:${PASSWORD}@127.0.0.1:${redis.port}`,
      // One for both, or neither could use what the other has made.
      CDN_URL: 'https://photos.example.org',
      LOG_LEVEL: 'info',
    });
    one = await faulty.start();
    two = await faulty.start({ ROLES: 'http', METADATA_CACHE_SIZE: '0' });
    seller = await one.client.token('seller-1');
    admin = await one.client.token('admin-1', 'admin', 'moderator');
  });
  afterAll(async () => {
    await faulty?.close();
    spy?.disconnect();
    await redis?.stop();
  });

  async function upload({ client }: Started, item: string) {
    const { body, filename } = await distinctPhoto();
    const file = { name: filename, type: 'image/jpeg', bytes: body };
    return client.upload(`/v1/items/${item}/photos`, file, { token: seller, headers: ASYNC });
  }

  async function readyPhotos(item: string, count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let left = count; left > 0; left -= 1) {
      const reply = await upload(one, item);
      expect(reply.status).toBe(202);
      ids.push(reply.as(Photo).id);
    }
    for (const id of ids) await one.client.untilState(id, seller, 'ready');
    return ids;
  }

  const logged = ({ service }: Started, words: string) =>
    service
      .output()
      .split('\n')
      .filter((line) => line.includes(words)).length;

  test('a read after an answered write is never older, whichever process answers', async () => {
    const item = await one.client.listing(seller);
    const ids = await readyPhotos(item, 3);
    const [first = '', ...others] = ids;
    let answered = 0;
    let isOver = false;
    const alt = async ({ client }: Started) => {
      const { photos } = await client.gallery(item);
      return Number(photos.find(({ id }) => id === first)?.alt ?? 0);
    };
    /** Keeps what can be stale, and sees whether anything goes back. */
    const watch = async (side: Started) => {
      for (let seen = 0, reads = 0; ; reads += 1) {
        if (isOver) return reads;
        const least = Math.max(seen, answered);
        seen = await alt(side);
        expect(seen).toBeGreaterThanOrEqual(least);
      }
    };
    const watching = Promise.all([one, two, two].map(watch));
    for (let round = 1; round <= ROUNDS; round += 1) {
      const [writer, reader] = round % 2 === 0 ? [one, two] : [two, one];
      const path = `/v1/photos/${first}`;
      expect(
        (await writer.client.call('PATCH', path, { token: seller, json: { alt: `${round}` } })).status,
      ).toBe(200);
      answered = round;
      expect(await alt(reader)).toBe(round);
      if (round % 4 !== 0) continue;
      const order = [...others.splice(0), first];
      others.push(...order.filter((id) => id !== first));
      if (round % 8 === 0) order.reverse();
      const put = await writer.client.call('PUT', `/v1/items/${item}/photos/order`, {
        token: seller,
        json: { order },
      });
      expect(put.status).toBe(200);
      expect((await reader.client.gallery(item)).photos.map(({ id }) => id)).toEqual(order);
    }
    isOver = true;
    expect(Math.min(...(await watching))).toBeGreaterThan(ROUNDS / 4);
    const [kept = ''] = await spy.keys('localex:cache:gallery-*');
    expect(kept).toContain(item);

    const value = (await spy.get(kept)) ?? '';
    await spy.set(kept, value.replace(`"alt":"${ROUNDS}"`, '"alt":"9999"'));
    expect(await alt(two)).toBe(ROUNDS);
  });

  test('what is taken down, deleted or withdrawn is in no gallery from the answer on, nor in Redis', async () => {
    const item = await one.client.listing(seller);
    const [first = '', second = '', third = ''] = await readyPhotos(item, 3);
    const shown = async () =>
      Promise.all(
        [one, two].map(async ({ client }) => (await client.gallery(item)).photos.map(({ id }) => id)),
      );
    expect(await shown()).toEqual([
      [first, second, third],
      [first, second, third],
    ]);
    const decision = { decision: 'takedown', reason: 'OTHER', note: 'because of a test' };
    const path = `/v1/admin/photos/${first}/decision`;
    expect((await one.client.call('POST', path, { token: admin, json: decision })).status).toBe(200);
    expect(await shown()).toEqual([
      [second, third],
      [second, third],
    ]);
    expect((await two.client.call('DELETE', `/v1/photos/${second}`, { token: seller })).status).toBe(204);
    expect(await shown()).toEqual([[third], [third]]);
    await untilDelivered(faulty);
    for (const key of await spy.keys('localex:cache:gallery-*')) {
      const value = await spy.get(key);
      expect(value).not.toContain(first);
      expect(value).not.toContain(second);
    }
    const withdrawn = { token: seller, json: { status: 'withdrawn' } };
    expect((await one.client.call('PATCH', `/v1/items/${item}`, withdrawn)).status).toBe(200);
    for (const { client } of [one, two])
      expect((await client.call('GET', `/v1/items/${item}/photos`)).status).toBe(404);
  });

  test('Redis is emptied while uploads go on: their jobs are delivered again, and each photo is made once', async () => {
    const item = await one.client.listing(seller);
    const replies = await Promise.all(
      Array.from({ length: 4 }, async (_, index) => {
        const reply = await upload(index % 2 === 0 ? one : two, item);
        await spy.flushall();
        return reply;
      }),
    );
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 202));
    await untilDelivered(faulty);
    await spy.flushall();
    const ids = replies.map((reply) => reply.as(Photo).id);
    await faulty.sweepLater(QUIET_HOURS);
    await until(
      'every photo to be ready',
      async () => {
        const { photos } = await two.client.gallery(item, seller);
        return photos.every(({ state }) => state === 'ready') ? true : null;
      },
      RECOVERY_MS,
    );
    const { photos } = await two.client.gallery(item);
    expect(photos.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    for (const { variants } of photos) expect(Object.keys(variants)).toHaveLength(4);
  });

  test.each(['SIGSTOP', 'SIGKILL'] as const)(
    'after %s of Redis uploads are taken and galleries shown without waiting, and the jobs follow when it is back',
    async (signal) => {
      const item = await one.client.listing(seller);
      await readyPhotos(item, 1);
      const before = [one, two].map((side) => side.service.output().length);
      if (signal === 'SIGSTOP') process.kill(redis.pid, signal);
      else await redis.stop();

      const slowest = { upload: 0, gallery: 0 };
      const timed = async <T>(what: keyof typeof slowest, work: Promise<T>): Promise<T> => {
        const began = performance.now();
        const result = await work;
        slowest[what] = Math.max(slowest[what], performance.now() - began);
        return result;
      };
      for (const side of [one, two]) {
        expect((await timed('upload', upload(side, item))).status).toBe(202);
        for (let reads = 0; reads < 20; reads += 1)
          expect((await timed('gallery', side.client.gallery(item))).photos).toHaveLength(1);
      }
      const ready = await two.client.call('GET', '/readyz');
      expect(ready.status).toBe(200);
      expect(ready.as(Ready).checks.find(({ name }) => name === 'queue')).toMatchObject({
        ok: false,
        degraded: true,
      });
      expect(slowest.gallery).toBeLessThan(2_000);
      expect(slowest.upload).toBeLessThan(4_000);

      if (signal === 'SIGSTOP') process.kill(redis.pid, 'SIGCONT');
      else redis = await startRedis(redis.port);
      await until(
        'every photo to be ready',
        async () => ((await one.client.gallery(item)).photos.length === 3 ? true : null),
        RECOVERY_MS,
      );
      for (const [index, side] of [one, two].entries()) {
        const written = side.service.output().slice(before[index]);
        for (const purpose of ['limits', 'cache'])
          expect(written.split(`the Redis for ${purpose} does not answer`).length - 1).toBeLessThanOrEqual(2);
      }
    },
  );

  test('and its password is in no line of the log', () => {
    for (const side of [one, two]) {
      expect(logged(side, 'does not answer')).toBeGreaterThan(0);
      expect(logged(side, PASSWORD)).toBe(0);
    }
  });
});
