import { LRUCache } from 'lru-cache';
import { covers } from '#src/domain/cdn-paths.ts';
import type { UserId } from '#src/domain/ids.ts';
import { profileAlias } from '#src/domain/keys.ts';
import type { OutputFormat } from '#src/domain/renditions.ts';

/** As long as the alias may be kept by anybody (`max-age`). */
const TTL_MS = 60_000;
const MAX_ALIASES = 10_000;

/** Remembers which key an alias stands for, for a minute or until it is purged. */
export interface AliasCache {
  resolve(userId: UserId, format: OutputFormat): Promise<string>;
  invalidate(path: string): void;
}

export function createAliasCache(
  lookUp: (userId: UserId, format: OutputFormat) => Promise<string>,
): AliasCache {
  const found = new LRUCache<string, Promise<string>>({ max: MAX_ALIASES, ttl: TTL_MS });

  return {
    resolve(userId, format) {
      const name = `${profileAlias(userId)}#${format}`;
      const known = found.get(name);
      if (known !== undefined) return known;
      const looking = lookUp(userId, format);
      found.set(name, looking);
      looking.catch(() => {
        if (found.peek(name) === looking) found.delete(name);
      });
      return looking;
    },
    invalidate(path) {
      for (const name of found.keys())
        if (covers(path, name.slice(0, name.lastIndexOf('#')))) found.delete(name);
    },
  };
}
