import { getSignedCookies, getSignedUrl } from '@aws-sdk/cloudfront-signer';
import { LRUCache } from 'lru-cache';
import { expiryInWindow } from '#src/domain/signed-expiry.ts';
import type { SignedCookie } from '#src/ports/cdn.ts';
import type { Clock } from '#src/ports/clock.ts';
import type { SigningKeyPair } from './key-pair.ts';

export interface SignatureLimits {
  /** The longest that a signature may be asked for. */
  readonly maxSeconds: number;
  /** The largest window that expiries are rounded up to. */
  readonly windowSeconds: number;
}

export interface Signer {
  signedUrl(path: string, expiresAt: Date): string;
  signedCookies(pattern: string, expiresAt: Date): readonly SignedCookie[];
}

/** Signing with RSA takes a millisecond or more: a list of photos asks for the same again and again within a window. */
const KEPT_URLS = 5_000;

/**
 * Signed URLs with a canned policy (one URL, one expiry) and signed cookies with a custom one (a wildcard), in
 * CloudFront's form, with SHA-256 ("Use signed URLs", Amazon CloudFront Developer Guide, 2026). `url` makes absolute URLs.
 */
export function createSigner(options: {
  readonly keyPair: SigningKeyPair;
  readonly limits: SignatureLimits;
  readonly url: (path: string) => string;
  readonly clock: Clock;
}): Signer {
  const { keyPair, limits, url, clock } = options;
  const signed = new LRUCache<string, string>({ max: KEPT_URLS });
  const credentials = { keyPairId: keyPair.id, privateKey: keyPair.privateKey, algorithm: 'SHA256' } as const;

  return {
    signedUrl(path, expiresAt) {
      const expires = expiryInWindow(expiresAt, clock.now(), limits);
      const resource = url(path);
      const name = `${expires} ${resource}`;
      const known = signed.get(name);
      if (known !== undefined) return known;
      const made = getSignedUrl({ ...credentials, url: resource, dateLessThan: expires * 1000 });
      signed.set(name, made);
      return made;
    },
    signedCookies(pattern, expiresAt) {
      const expires = expiryInWindow(expiresAt, clock.now(), limits);
      const condition = { DateLessThan: { 'AWS:EpochTime': expires } };
      const policy = JSON.stringify({ Statement: [{ Resource: url(pattern), Condition: condition }] });
      return Object.entries(getSignedCookies({ ...credentials, policy })).map(([name, value]) => ({
        name,
        value: String(value),
      }));
    },
  };
}
