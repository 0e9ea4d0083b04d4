import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Cache, CacheEntry } from '#src/ports/cache.ts';
import type { SideConnection } from '../redis/side-connection.ts';
import { createNear, type Near } from './near.ts';
import { createSeal } from './seal.ts';
import { singleFlight } from './single-flight.ts';

const SCAN_COUNT = 500;

export interface RedisCacheOptions {
  readonly connection: SideConnection;
  /** Begins the name of every key, so that several installations share a server. */
  readonly prefix: string;
  /** Proves values; the same in every process, and not known to whoever else writes to this Redis. */
  readonly secret: Uint8Array;
  /** What this process keeps itself. Bytes of JSON. */
  readonly maxBytes: number;
}

/** A cache in Redis, before it a small one in each process. What is forgotten is told to all by publishing it. */
export function createRedisCache(options: RedisCacheOptions): Cache {
  const { connection, prefix, maxBytes } = options;
  const { client } = connection;
  const near = createNear(maxBytes);
  const seal = createSeal(options.secret);
  const channel = `${prefix}:cache-forget`;
  const subscriber = listen(client, channel, near);
  const placeOf = (kind: string, key: string) => `${prefix}:cache:${kind}:${key}`;

  const cache: Pick<Cache, 'get' | 'set'> = {
    async get(entry) {
      return near.get(entry) ?? (await far(entry));
    },
    async set({ kind, key, version }, value) {
      const json = JSON.stringify(value);
      if (maxBytes > 0) near.set({ kind, key, version }, value, json.length);
      const place = placeOf(kind.name, key);
      await quietly(() => client.set(place, seal.close(place, version, json), 'EX', kind.ttlSeconds));
    },
  };

  async function far<T>(entry: CacheEntry<T>): Promise<T | undefined> {
    const { kind, key, version } = entry;
    const place = placeOf(kind.name, key);
    const sealed = await quietly(() => client.get(place));
    if (sealed === null || sealed === undefined) return undefined;
    try {
      const opened = seal.open(place, version, sealed);
      if (opened === null) return undefined;
      const value = kind.parse(opened);
      if (maxBytes > 0) near.set(entry, value, sealed.length);
      return value;
    } catch {
      // Written by another version of this service.
      return undefined;
    }
  }

  /** Undefined when Redis does not answer, of which the connection tells. */
  async function quietly<T>(commands: () => Promise<T>): Promise<T | undefined> {
    return connection.ask(commands).catch(() => undefined);
  }

  return {
    name: 'redis',
    ...cache,
    through: singleFlight(cache),
    async forget(kind, keys) {
      near.forget(kind, keys);
      if (keys.length === 0) return;
      await quietly(() => client.unlink(keys.map((key) => placeOf(kind, key))));
      await quietly(() => client.publish(channel, JSON.stringify({ kind, keys })));
    },
    async forgetPrefix(kind, start) {
      near.forgetPrefix(kind, start);
      const pattern = `${literally(placeOf(kind, start))}*`;
      let cursor = '0';
      do {
        const page = await quietly(() => client.scan(cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT));
        if (page === undefined) return;
        const [next, places] = page;
        cursor = next;
        if (places.length > 0) await quietly(() => client.unlink(places));
      } while (cursor !== '0');
      await quietly(() => client.publish(channel, JSON.stringify({ kind, prefix: start })));
    },
    async close() {
      subscriber.disconnect();
      connection.close();
      near.clear();
    },
  };
}

const Forgotten = z.union([
  z.object({ kind: z.string(), keys: z.array(z.string()) }),
  z.object({ kind: z.string(), prefix: z.string() }),
]);

/** Hears what other processes forget. After a break this one forgets all, as it may have missed something. */
function listen(client: Redis, channel: string, near: Near): Redis {
  const subscriber = client.duplicate({
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    commandTimeout: undefined,
  });
  subscriber.on('error', () => {});
  subscriber.on('close', () => near.clear());
  subscriber.on('message', (_channel, message) => {
    const note = Forgotten.safeParse(parsed(message));
    if (!note.success) near.clear();
    else if ('keys' in note.data) near.forget(note.data.kind, note.data.keys);
    else near.forgetPrefix(note.data.kind, note.data.prefix);
  });
  subscriber.subscribe(channel).catch(() => undefined);
  return subscriber;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** As a pattern of Redis that matches nothing else. */
function literally(text: string): string {
  return text.replace(/[*?[\]\\^-]/g, '\\$&');
}
