import type { Cache } from '#src/ports/cache.ts';
import { createNear } from './near.ts';
import { singleFlight } from './single-flight.ts';

/** A cache of this process alone. */
export function createMemoryCache({ maxBytes }: { readonly maxBytes: number }): Cache {
  const near = createNear(maxBytes);
  const cache: Pick<Cache, 'get' | 'set'> = {
    async get(entry) {
      return near.get(entry);
    },
    async set(entry, value) {
      if (maxBytes > 0) near.set(entry, value, JSON.stringify(value).length);
    },
  };
  return {
    name: 'memory',
    ...cache,
    through: singleFlight(cache),
    async forget(kind, keys) {
      near.forget(kind, keys);
    },
    async forgetPrefix(kind, prefix) {
      near.forgetPrefix(kind, prefix);
    },
    async close() {
      near.clear();
    },
  };
}
