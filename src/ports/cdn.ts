import type { CacheRule } from '../domain/cache-policy.ts';
import type { GeoRule } from '../domain/geo.ts';

export interface SignedCookie {
  readonly name: string;
  readonly value: string;
}

/** Names what one call of `invalidate` asked for. */
export type PurgeTicket = string;

/** How the CDN as a whole behaves. What is left out stays as it is. */
export interface CdnSettings {
  readonly geo?: GeoRule;
  /** Host names it answers for, besides its own. Only where there is a distribution to name them. */
  readonly aliases?: readonly string[];
}

/** What stands between the store and the eye. */
export interface Cdn {
  readonly name: 'edge' | 'cloudfront';
  /** Absolute public URL of a path such as `items/large/…jpg`. */
  url(path: string): string;
  /**
   * Absolute URL of a private object that works at least until `expiresAt`, and at most a window longer, so that equal
   * requests give equal URLs (`domain/signed-expiry.ts`). INVALID_REQUEST beyond the longest lifetime that is allowed.
   */
  signedUrl(path: string, expiresAt: Date): string;
  /** Cookies that open every path of a pattern ending in `*`, for as long as `signedUrl` would. */
  signedCookies(pattern: string, expiresAt: Date): readonly SignedCookie[];
  /**
   * Forgets cached answers. Exact paths, or a prefix ending in `*`. Resolves once that will happen whatever dies: on the
   * edge it has happened in this process, on CloudFront it is written down. `isPurged` tells when it is done everywhere.
   */
  invalidate(paths: readonly string[]): Promise<PurgeTicket>;
  isPurged(ticket: PurgeTicket): Promise<boolean>;
  /** From now on answers for the paths of this rule are kept as it says. */
  setCacheRule(rule: CacheRule): Promise<void>;
  /** UNSUPPORTED for what this CDN has no setting for. */
  configure(settings: CdnSettings): Promise<void>;
  close(): Promise<void>;
}
