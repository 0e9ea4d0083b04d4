import type { Cache, CacheEntry } from '#src/ports/cache.ts';

/** `Cache.through` over the other two: of those who miss the same version at one time, one makes it. */
export function singleFlight(cache: Pick<Cache, 'get' | 'set'>): Cache['through'] {
  const flights = new Map<string, Promise<unknown>>();

  const fly = async <T>(entry: CacheEntry<T>, make: () => Promise<T>): Promise<T> => {
    const known = await cache.get(entry);
    if (known !== undefined) return known;
    const made = await make();
    // Nobody waits for it to be kept.
    void cache.set(entry, made);
    return made;
  };

  return async (entry, make) => {
    const name = `${entry.kind.name}:${entry.key}:${entry.version}`;
    const flying = flights.get(name);
    if (flying !== undefined) return entry.kind.parse(await flying);
    const mine = fly(entry, make).finally(() => flights.delete(name));
    flights.set(name, mine);
    return mine;
  };
}
