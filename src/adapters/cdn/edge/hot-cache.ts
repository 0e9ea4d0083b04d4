import { buffer } from 'node:stream/consumers';
import { LRUCache } from 'lru-cache';
import { covers } from '#src/domain/cdn-paths.ts';
import type { ObjectKey } from '#src/domain/keys.ts';
import type { ObjectInfo, ObjectStore } from '#src/ports/object-store.ts';

/** Larger objects are streamed from the store. */
export const HOT_OBJECT_MAX_BYTES = 2 * 1024 * 1024;
/** Past this many reads at once further misses are streamed, so that fills have a bound on memory. */
const MAX_FILLS = 32;
/** An object that was purged is not kept again for so long: its deletion from the store may still be under way. */
const PURGE_QUARANTINE_MS = 30_000;

/** An object ready to send. `body` is null when it is too large to keep. */
export interface CachedObject<Prepared> {
  readonly info: ObjectInfo;
  readonly body: Buffer | null;
  readonly prepared: Prepared;
}

export interface HotCache<Prepared> {
  /** What is in memory. */
  peek(key: string): CachedObject<Prepared> | undefined;
  /** From memory or from the store; misses of one key at one time share one read. NOT_FOUND is not kept. */
  load(key: ObjectKey): Promise<CachedObject<Prepared>>;
  /** Forgets a key, or everything under a prefix ending in `*`; reads under way will not be kept. */
  invalidate(path: string): void;
  /** Prepares every object anew at its next request. */
  clear(): void;
  readonly bytes: number;
}

interface Fill<Prepared> {
  readonly result: Promise<CachedObject<Prepared>>;
  /** Set by a purge while the read is under way. */
  stale: boolean;
}

/** Whole objects in memory, least recently used out first, at most `maxBytes` of them. */
export function createHotCache<Prepared extends object>(options: {
  readonly store: ObjectStore;
  readonly maxBytes: number;
  /** Made once an object, not once a request. */
  readonly prepare: (info: ObjectInfo) => Prepared;
}): HotCache<Prepared> {
  const objects = new LRUCache<string, CachedObject<Prepared>>({
    maxSize: Math.max(1, options.maxBytes),
    sizeCalculation: (object) => (object.body?.length ?? 0) + 1024,
  });
  const fills = new Map<string, Fill<Prepared>>();
  const purged = new LRUCache<string, true>({ max: 10_000, ttl: PURGE_QUARANTINE_MS });

  async function read(key: ObjectKey, keep: boolean): Promise<CachedObject<Prepared>> {
    const { info, body } = await options.store.get(key);
    const prepared = options.prepare(info);
    if (!keep || info.bytes > HOT_OBJECT_MAX_BYTES) {
      body.destroy();
      return { info, body: null, prepared };
    }
    return { info, body: await buffer(body), prepared };
  }

  async function fill(key: ObjectKey): Promise<CachedObject<Prepared>> {
    const mine: Fill<Prepared> = { result: read(key, true), stale: false };
    fills.set(key, mine);
    try {
      const object = await mine.result;
      if (!mine.stale && !isPurged(purged, key)) objects.set(key, object);
      return object;
    } finally {
      if (fills.get(key) === mine) fills.delete(key);
    }
  }

  return {
    peek: (key) => objects.get(key),
    load(key) {
      const known = objects.get(key);
      if (known !== undefined) return Promise.resolve(known);
      const running = fills.get(key);
      if (running !== undefined) return running.result;
      return fills.size >= MAX_FILLS ? read(key, false) : fill(key);
    },
    invalidate(path) {
      purged.set(path, true);
      objects.delete(path);
      if (path.endsWith('*')) for (const key of objects.keys()) if (covers(path, key)) objects.delete(key);
      for (const [key, running] of fills) {
        if (!covers(path, key)) continue;
        running.stale = true;
        fills.delete(key);
      }
    },
    clear() {
      objects.clear();
      for (const running of fills.values()) running.stale = true;
      fills.clear();
    },
    get bytes() {
      return objects.calculatedSize;
    },
  };
}

function isPurged(purged: LRUCache<string, true>, key: string): boolean {
  if (purged.has(key)) return true;
  for (const path of purged.keys()) if (path.endsWith('*') && covers(path, key)) return true;
  return false;
}
