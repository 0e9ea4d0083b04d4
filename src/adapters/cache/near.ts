import { LRUCache } from 'lru-cache';
import type { CacheEntry } from '#src/ports/cache.ts';

interface Kept {
  readonly version: string;
  readonly value: unknown;
  readonly bytes: number;
}

/** What this process keeps: the values last used, up to a size. */
export interface Near {
  get<T>(entry: CacheEntry<T>): T | undefined;
  /** @param bytes of the value as JSON */
  set<T>(entry: CacheEntry<T>, value: T, bytes: number): void;
  forget(kind: string, keys: readonly string[]): void;
  forgetPrefix(kind: string, prefix: string): void;
  clear(): void;
}

/** For what an entry takes beside its value. */
const OVERHEAD = 256;

/** @param maxBytes of values as JSON; what it takes in memory is about three times that. 0 keeps nothing. */
export function createNear(maxBytes: number): Near {
  const kept = new LRUCache<string, Kept>({
    maxSize: Math.max(1, maxBytes),
    sizeCalculation: ({ bytes }) => bytes + OVERHEAD,
  });

  return {
    get({ kind, key, version }) {
      const found = kept.get(nameOf(kind.name, key));
      if (found?.version !== version) return undefined;
      try {
        return kind.parse(found.value);
      } catch {
        return undefined;
      }
    },
    set({ kind, key, version }, value, bytes) {
      kept.set(nameOf(kind.name, key), { version, value, bytes }, { ttl: kind.ttlSeconds * 1000 });
    },
    forget(kind, keys) {
      for (const key of keys) kept.delete(nameOf(kind, key));
    },
    forgetPrefix(kind, prefix) {
      const start = nameOf(kind, prefix);
      for (const name of kept.keys()) if (name.startsWith(start)) kept.delete(name);
    },
    clear: () => kept.clear(),
  };
}

/** No kind has a colon in its name. */
function nameOf(kind: string, key: string): string {
  return `${kind}:${key}`;
}
