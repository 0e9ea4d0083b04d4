import { Duration } from 'aws-cdk-lib';
import {
  CachePolicy,
  HeadersFrameOption,
  HeadersReferrerPolicy,
  ResponseHeadersPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import type { Construct } from 'constructs';

const YEAR = Duration.days(365);

/**
 * How long CloudFront keeps what lies under a prefix. The key alone names an answer: no header, cookie or query is in
 * it, so nobody can fill the cache with copies. The browser is told by the object's own Cache-Control.
 */
export function cachePolicies(scope: Construct, name: string) {
  const policy = (id: string, comment: string, longest: Duration) =>
    new CachePolicy(scope, id, {
      cachePolicyName: `${name}-${id.toLowerCase()}`,
      comment,
      minTtl: Duration.seconds(0),
      defaultTtl: longest,
      maxTtl: longest,
      // A policy that keeps nothing may not normalise encodings either (CloudFront API, CachePolicyConfig, 2025).
      enableAcceptEncodingGzip: longest.toSeconds() > 0,
      enableAcceptEncodingBrotli: longest.toSeconds() > 0,
    });
  return {
    /** A key never has two contents. */
    immutable: policy('Immutable', 'Content-addressed objects', YEAR),
    /** The present photo of a profile changes behind one address; it is also purged when it does. */
    alias: policy('Alias', 'Mutable aliases', Duration.seconds(60)),
    /** Signed: kept by the browser that asked, at most. */
    none: policy('Uncached', 'Signed objects', Duration.seconds(0)),
  };
}

/** What every answer says, whatever the object in the bucket says: pictures, and nothing that a browser would run. */
export function responseHeaders(scope: Construct, name: string): ResponseHeadersPolicy {
  return new ResponseHeadersPolicy(scope, 'ResponseHeaders', {
    responseHeadersPolicyName: `${name}-pictures`,
    comment: 'Pictures only, over TLS only',
    securityHeadersBehavior: {
      strictTransportSecurity: {
        accessControlMaxAge: Duration.days(2 * 365),
        includeSubdomains: true,
        override: true,
      },
      contentTypeOptions: { override: true },
      contentSecurityPolicy: {
        contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'; sandbox",
        override: true,
      },
      frameOptions: { frameOption: HeadersFrameOption.DENY, override: true },
      referrerPolicy: { referrerPolicy: HeadersReferrerPolicy.NO_REFERRER, override: true },
    },
    customHeadersBehavior: {
      customHeaders: [
        // Galleries of other origins may show the pictures; that is what they are for.
        { header: 'Cross-Origin-Resource-Policy', value: 'cross-origin', override: true },
        { header: 'Timing-Allow-Origin', value: '*', override: true },
      ],
    },
    removeHeaders: ['x-amz-version-id', 'x-amz-server-side-encryption', 'x-amz-replication-status'],
  });
}
