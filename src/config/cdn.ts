import { httpAddress } from './address.ts';
import { bytes, choice, integer, optional, type Read } from './setting.ts';

export interface CdnConfig {
  readonly driver: 'edge' | 'cloudfront';
  /** Base of every public URL, without a slash at the end; null while the port is not known (`addressesOf`). */
  readonly url: string | null;
  /** Memory in which the edge keeps what is asked for most. */
  readonly hotCacheBytes: number;
  /** The longest that a signed URL may work. */
  readonly signedUrlMaxSeconds: number;
  readonly cloudfront: {
    readonly distributionId: string;
    readonly keyPairId: string;
    readonly privateKeyFile: string;
  } | null;
}

export const CDN = {
  driver: choice('CDN_DRIVER', ['edge', 'cloudfront'], {
    description: 'What stands between objects and their viewers.',
    default: 'edge',
  }),
  url: httpAddress('CDN_URL', {
    description: 'Base of every public URL; PUBLIC_URL/cdn when not set and the edge is used.',
  }),
  hotCacheBytes: bytes('EDGE_CACHE_SIZE', {
    description: 'Memory in which the edge keeps what is asked for most.',
    default: 64 * 1024 ** 2,
    min: 0,
    max: 16 * 1024 ** 3,
  }),
  signedUrlMaxSeconds: integer('SIGNED_URL_MAX_SECONDS', {
    description: 'The longest that a signed URL may work, in seconds.',
    default: 3600,
    min: 10,
    max: 604_800,
  }),
  distributionId: optional('CLOUDFRONT_DISTRIBUTION_ID', {
    description: 'Distribution that serves the bucket.',
    expected: 'the id of a CloudFront distribution: capital letters and digits',
    accepts: (value) => /^[A-Z\d]{10,32}$/.test(value),
  }),
  keyPairId: optional('CLOUDFRONT_KEY_PAIR_ID', {
    description: 'Public key by which CloudFront checks signed URLs.',
    expected: 'the id of a CloudFront public key: capital letters and digits',
    accepts: (value) => /^[A-Z\d]{10,32}$/.test(value),
  }),
  privateKeyFile: optional('CLOUDFRONT_PRIVATE_KEY_FILE', {
    description: 'File with the private key of that pair, in PEM.',
    expected: 'a path',
  }),
};

/** @param publicUrl of the service, null while its port is not known */
export function readCdn(read: Read, publicUrl: string | null): CdnConfig {
  const driver = read(CDN.driver);
  const distributionId = read(CDN.distributionId);
  const keyPairId = read(CDN.keyPairId);
  const privateKeyFile = read(CDN.privateKeyFile);
  return {
    driver,
    url: read(CDN.url) ?? (publicUrl === null ? null : edgeAddress(publicUrl)),
    hotCacheBytes: read(CDN.hotCacheBytes),
    signedUrlMaxSeconds: read(CDN.signedUrlMaxSeconds),
    cloudfront:
      distributionId === null || keyPairId === null || privateKeyFile === null
        ? null
        : { distributionId, keyPairId, privateKeyFile },
  };
}

/** Where the service's own edge answers. */
export function edgeAddress(publicUrl: string): string {
  return `${publicUrl}/cdn`;
}
