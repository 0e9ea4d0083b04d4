import type { IncomingMessage, ServerResponse } from 'node:http';
import { StorageError } from '#src/domain/errors.ts';
import { countryOf, type GeoRule, isServedIn } from '#src/domain/geo.ts';
import { cameByPlainHttp, toldByProxy, type TrustProxy } from './viewer.ts';

export interface GuardOptions {
  readonly trustProxy: TrustProxy;
  /** Lower case; CloudFront's is `cloudfront-viewer-country`. */
  readonly countryHeader: string;
  /** Whether public URLs begin with https://. */
  readonly isSecure: boolean;
}

/**
 * What CloudFront checks before it looks for an object, done here with what the proxies in front say: the country (403),
 * and TLS ("Require HTTPS for communication between viewers and CloudFront": 301 to the same URL, 403 for a signed one,
 * which must not be sent in the clear). Null where there is nothing to check, so that it costs nothing.
 */
export function createGuard(
  options: GuardOptions,
  geo: GeoRule,
): ((req: IncomingMessage) => 'pass' | 'redirect') | null {
  const { trustProxy, countryHeader, isSecure } = options;
  if (trustProxy === false || (!isSecure && geo.kind === 'everywhere')) return null;
  return (req) => {
    if (!isServedIn(geo, countryOf(toldByProxy(req, trustProxy, countryHeader))))
      throw new StorageError('FORBIDDEN', 'Photos are not shown in this country.');
    if (!isSecure || !cameByPlainHttp(req, trustProxy)) return 'pass';
    if (isSigned(req)) throw new StorageError('FORBIDDEN', 'Signed URLs are for https only.');
    return 'redirect';
  };
}

function isSigned(req: IncomingMessage): boolean {
  return (
    (req.url ?? '').includes('Signature=') || (req.headers.cookie ?? '').includes('CloudFront-Signature=')
  );
}

/** Sends a viewer to the same URL with TLS. */
export function redirect(res: ServerResponse, url: string): void {
  res.writeHead(301, { Location: url, 'Cache-Control': 'no-store', 'Content-Length': 0 }).end();
}
