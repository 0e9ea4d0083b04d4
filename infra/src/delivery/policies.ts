import { Duration } from 'aws-cdk-lib';
import {
  CacheHeaderBehavior,
  CachePolicy,
  HeadersFrameOption,
  HeadersReferrerPolicy,
  ResponseHeadersPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import type { Construct } from 'constructs';

const MINUTE = Duration.minutes(1);
const YEAR = Duration.days(365);

/**
 * How long CloudFront keeps what lies under a prefix, at most: the object's own Cache-Control may say less. No cookie and no
 * query is part of an answer's name, so nobody can fill the cache with copies.
 */
export function cachePolicies(scope: Construct, name: string) {
  const policy = (id: string, comment: string, { longest, unlessSaid = longest, by }: Keeping) =>
    new CachePolicy(scope, id, {
      cachePolicyName: `${name}-${id.toLowerCase()}`,
      comment,
      minTtl: Duration.seconds(0),
      defaultTtl: unlessSaid,
      maxTtl: longest,
      headerBehavior: by === undefined ? CacheHeaderBehavior.none() : CacheHeaderBehavior.allowList(by),
      // A policy that keeps nothing may not normalise encodings either (CloudFront API, CachePolicyConfig, 2025).
      enableAcceptEncodingGzip: longest.toSeconds() > 0,
      enableAcceptEncodingBrotli: longest.toSeconds() > 0,
    });
  return {
    /** A key never has two contents. */
    immutable: policy('Immutable', 'Content-addressed objects', { longest: YEAR }),
    /**
     * What the service looks up, by the two values that the function leaves in Accept. The service says how long: the
     * present photo of a profile changes behind one address, and is purged when it does.
     */
    lookedUp: policy('LookedUp', 'Answers of the service', {
      longest: YEAR,
      unlessSaid: MINUTE,
      by: 'Accept',
    }),
    /** Signed: kept by the browser that asked, at most. */
    none: policy('Uncached', 'Signed objects', { longest: Duration.seconds(0) }),
  };
}

interface Keeping {
  readonly longest: Duration;
  /** Where the answer says nothing; as long as `longest` when not given. */
  readonly unlessSaid?: Duration;
  /** A request header that tells answers apart. */
  readonly by?: string;
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
