import { createHmac, timingSafeEqual } from 'node:crypto';

export interface UrlSigner {
  /** Query string that makes `path` readable until `expiresAt` (whole seconds, rounded down). */
  sign(path: string, expiresAt: Date): string;
  /** `valid`, or why not. `now` in milliseconds. */
  check(path: string, query: URLSearchParams, now: number): SignatureVerdict;
}

export type SignatureVerdict = { valid: true; expiresAt: number } | { valid: false; expired: boolean };

/**
 * Signed URLs of the local edge: HMAC-SHA256 over the key and the expiry, in the way of a CloudFront canned
 * policy (resource and DateLessThan). The key is bound, so a signature opens one object only.
 */
export function createUrlSigner(signingKey: Uint8Array): UrlSigner {
  const signatureOf = (path: string, expires: string): Buffer =>
    createHmac('sha256', signingKey).update(`${path}\n${expires}`).digest();

  return {
    sign(path, expiresAt) {
      const expires = String(Math.floor(expiresAt.getTime() / 1000));
      return `expires=${expires}&signature=${signatureOf(path, expires).toString('base64url')}`;
    },
    check(path, query, now) {
      const expires = query.get('expires') ?? '';
      const given = Buffer.from(query.get('signature') ?? '', 'base64url');
      const wanted = signatureOf(path, expires);
      const genuine =
        /^\d{1,12}$/.test(expires) && given.length === wanted.length && timingSafeEqual(given, wanted);
      const expiresAt = Number(expires) * 1000;
      if (genuine && expiresAt > now) return { valid: true, expiresAt };
      return { valid: false, expired: genuine };
    },
  };
}
