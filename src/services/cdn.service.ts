import { type CachePolicy, cacheRule } from '../domain/cache-policy.ts';
import { isPhotoPath, purgePath, warmPath } from '../domain/cdn-paths.ts';
import { distanceKm, type Place } from '../domain/distance.ts';
import { cityOfPop, type EdgeCity, nearestCity } from '../domain/edge-locations.ts';
import type { Cdn, PurgeTicket } from '../ports/cdn.ts';
import { askCdn } from './cdn/ask.ts';
import { inLanes } from './in-lanes.ts';

export interface CdnServiceDeps {
  readonly cdn: Cdn;
  /** Where this machine stands; null when nobody said so. */
  readonly home: Place | null;
}

/** From where the CDN answers. */
export interface EdgeLocation {
  /** The code of the CDN, such as `FRA56-P12`, or of a city, such as `FRA`; `local` for the edge of this service. */
  readonly code: string;
  /** Null where the code is not in our table, or the edge's place is not configured. */
  readonly city: string | null;
  readonly country: string | null;
  readonly place: Place | null;
  /** `answered`: the CDN said so. `nearest`: by distance. */
  readonly how: 'answered' | 'nearest';
  /** From the viewer, or from this machine; null where one of both places is not known. */
  readonly distanceKm: number | null;
}

export interface WarmReport {
  /** Answers that were fetched whole; `.auto` is fetched in both formats. */
  readonly warmed: number;
  readonly bytes: number;
  /** In the order in which they failed; `status` null when there was no answer. */
  readonly failed: readonly { readonly key: string; readonly status: number | null }[];
}

export interface CdnService {
  /**
   * Has the CDN forget objects: keys, `.auto` paths, the alias of a profile photo, or a prefix ending in `*`; with a key
   * also the `.auto` that may stand for it. Resolves once the purge cannot be lost; `Cdn.isPurged` tells when it is done.
   * INVALID_KEY, before anything is purged, when one of them is outside what the CDN serves.
   */
  invalidateCache(keys: readonly string[]): Promise<PurgeTicket>;
  /** Absolute URL of an object. INVALID_KEY for what the CDN does not serve. */
  getCdnUrl(key: string): string;
  /**
   * Fetches public objects through the CDN, so that its cache near this machine has them, at most eight at a time.
   * INVALID_KEY for what is not a single public object. ABORTED objects count as failed.
   */
  warmCache(keys: readonly string[], options?: { readonly signal?: AbortSignal }): Promise<WarmReport>;
  /** From where the CDN answers this machine, or would answer a viewer at that place. */
  getEdgeLocation(viewer?: Place): Promise<EdgeLocation>;
  /**
   * How long answers for a key, or for a pattern with `*`, are kept. INVALID_KEY, INVALID_REQUEST for a policy that makes
   * a signed object public; CDN_UNAVAILABLE, VERSION_CONFLICT, INVALID_CONFIGURATION where CloudFront does not take it.
   */
  configureCachePolicy(key: string, policy: CachePolicy): Promise<void>;
}

const LANES = 8;
const WEBP = 'image/webp';
const JPEG = 'image/jpeg';

/** What stands between objects and their viewers, whichever CDN it is. */
export function createCdnService({ cdn, home }: CdnServiceDeps): CdnService {
  return {
    async invalidateCache(keys) {
      const paths = keys.flatMap((key) => withAuto(purgePath(key)));
      return cdn.invalidate([...new Set(paths)]);
    },

    getCdnUrl: (key) => cdn.url(purgePath(key)),

    async warmCache(keys, { signal } = {}) {
      const paths = [...new Set(keys.map(warmPath))];
      const requests = paths.flatMap((key) =>
        (key.endsWith('.auto') ? [WEBP, JPEG] : [WEBP]).map((accept) => ({ key, accept })),
      );
      const failed: { key: string; status: number | null }[] = [];
      let bytes = 0;
      await inLanes(requests, LANES, async ({ key, accept }) => {
        const answer = await askCdn(cdn.url(key), { method: 'GET', accept, ...(signal && { signal }) });
        if (answer.status === 200) bytes += answer.bytes;
        else failed.push({ key, status: answer.status });
      });
      return { warmed: requests.length - failed.length, bytes, failed };
    },

    async getEdgeLocation(viewer) {
      if (cdn.name === 'edge') return hereFor(home, viewer ?? null);
      if (viewer !== undefined) return located(nearestCity(viewer), 'nearest', viewer);
      // Errors name the location too, so that any path will do.
      const { pop } = await askCdn(cdn.url('items/'), { method: 'HEAD' });
      const city = pop === null ? null : cityOfPop(pop);
      if (pop !== null) return { ...located(city, 'answered', home), code: pop };
      return home === null ? hereFor(null, null) : located(nearestCity(home), 'nearest', home);
    },

    async configureCachePolicy(key, policy) {
      await cdn.setCacheRule(cacheRule(key, policy));
    },
  };
}

/** With a photo's key, the path that picks among its formats. */
function withAuto(path: string): string[] {
  return isPhotoPath(path) ? [path, path.replace(/\.[a-z]+$/, '.auto')] : [path];
}

function located(city: EdgeCity | null, how: EdgeLocation['how'], from: Place | null): EdgeLocation {
  return {
    code: city?.code ?? 'unknown',
    city: city?.city ?? null,
    country: city?.country ?? null,
    place: city === null ? null : { latitude: city.latitude, longitude: city.longitude },
    how,
    distanceKm: city === null || from === null ? null : distanceKm(from, city),
  };
}

/** There is one edge, and it is here. */
function hereFor(home: Place | null, viewer: Place | null): EdgeLocation {
  const distance = home === null ? null : distanceKm(viewer ?? home, home);
  return { code: 'local', city: null, country: null, place: home, how: 'answered', distanceKm: distance };
}
