import type { Place } from '../domain/distance.ts';
import { EVERYWHERE, type GeoRule, isCountry } from '../domain/geo.ts';
import { httpAddress } from './address.ts';
import { bytes, choice, integer, optional, type Read, setting, type Setting, text } from './setting.ts';

export interface CdnConfig {
  readonly driver: 'edge' | 'cloudfront';
  /** Base of every public URL, without a slash at the end; null while the port is not known (`addressesOf`). */
  readonly url: string | null;
  /** Memory in which the edge keeps what is asked for most. */
  readonly hotCacheBytes: number;
  /** The longest that a signed URL may work. */
  readonly signedUrlMaxSeconds: number;
  /** Expiries are rounded up to the end of a window of at most so many seconds. */
  readonly signedUrlWindowSeconds: number;
  /** Which countries are answered. */
  readonly geo: GeoRule;
  /** Where the edge finds the country of a viewer. Lower case. */
  readonly countryHeader: string;
  /** Where this machine stands; null when nobody said so. */
  readonly edgeLocation: Place | null;
  readonly cloudfront: {
    /** Another server than Amazon's for its API. */
    readonly endpoint: string | null;
    readonly distributionId: string;
    readonly keyPairId: string;
    readonly privateKeyFile: string;
  } | null;
  /** Where CloudFront delivers its access log; null where it is not read. */
  readonly logs: AccessLogPlace | null;
}

export interface AccessLogPlace {
  readonly bucket: string;
  /** Beginning of the keys of a day's files, with `{yyyy}`, `{MM}` and `{dd}` in it. */
  readonly prefix: string;
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
  signedUrlWindowSeconds: integer('SIGNED_URL_WINDOW_SECONDS', {
    description:
      'Signed URLs end at the end of a window of at most so many seconds, so that those asked for within one window are the same and caches hit.',
    default: 300,
    min: 1,
    max: 3600,
  }),
  geoAllow: countries('CDN_GEO_ALLOW', {
    description:
      'Countries whose viewers are answered; every country when not set. ISO 3166-1 alpha-2 codes.',
  }),
  geoDeny: countries('CDN_GEO_DENY', { description: 'Countries whose viewers are not answered.' }),
  countryHeader: text('CDN_COUNTRY_HEADER', {
    description:
      'Header field in which a proxy that TRUST_PROXY believes tells the edge the viewer’s country.',
    default: 'CloudFront-Viewer-Country',
    expected: 'the name of a header field',
    accepts: (value) => /^[A-Za-z][A-Za-z\d-]{0,60}$/.test(value),
  }),
  edgeLocation: setting<Place | null>(
    'EDGE_LOCATION',
    { description: 'Where this machine stands, as latitude and longitude.' },
    {
      expected: 'latitude and longitude in degrees, such as 52.5,13.4',
      defaultText: '',
      parse: parsePlace,
      fallback: () => null,
    },
  ),
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
  endpoint: httpAddress('CLOUDFRONT_ENDPOINT', {
    description: 'Another server than Amazon CloudFront that speaks its API.',
  }),
  logs: setting<AccessLogPlace | null>(
    'CLOUDFRONT_LOGS',
    {
      description:
        'Where CloudFront delivers its access log (standard logs v2 as JSON or W3C, or legacy): the bucket and the beginning of the keys of a day. Views are counted from it; without it nothing is archived behind CloudFront.',
    },
    {
      expected: 's3://bucket/folder/{yyyy}/{MM}/{dd}/, with the three parts of the day somewhere',
      defaultText: '',
      parse: parseLogs,
      fallback: () => null,
    },
  ),
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
    signedUrlWindowSeconds: read(CDN.signedUrlWindowSeconds),
    geo: geoRule(read(CDN.geoAllow), read(CDN.geoDeny)),
    countryHeader: read(CDN.countryHeader).toLowerCase(),
    edgeLocation: read(CDN.edgeLocation),
    cloudfront:
      distributionId === null || keyPairId === null || privateKeyFile === null
        ? null
        : { distributionId, keyPairId, privateKeyFile, endpoint: read(CDN.endpoint) },
    logs: read(CDN.logs),
  };
}

/** Where the service's own edge answers. */
export function edgeAddress(publicUrl: string): string {
  return `${publicUrl}/cdn`;
}

function geoRule(allowed: readonly string[], denied: readonly string[]): GeoRule {
  if (allowed.length > 0) return { kind: 'only', countries: allowed };
  return denied.length > 0 ? { kind: 'except', countries: denied } : EVERYWHERE;
}

function countries(name: string, about: { description: string }): Setting<readonly string[]> {
  return setting<readonly string[]>(name, about, {
    expected: 'country codes such as DE,AT, separated by commas',
    defaultText: '',
    parse(value) {
      const codes = value.split(',').map((code) => code.trim().toUpperCase());
      return codes.every(isCountry) ? [...new Set(codes)] : undefined;
    },
    fallback: () => [],
  });
}

function parsePlace(value: string): Place | undefined {
  const [, north, east] = /^(-?\d{1,2}(?:\.\d{1,6})?), ?(-?\d{1,3}(?:\.\d{1,6})?)$/.exec(value) ?? [];
  const latitude = Number(north);
  const longitude = Number(east);
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : undefined;
}

function parseLogs(value: string): AccessLogPlace | undefined {
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z\d][a-z\d.-]{1,61}[a-z\d])\/(.+)$/.exec(value) ?? [];
  if (bucket === undefined) return undefined;
  return ['{yyyy}', '{MM}', '{dd}'].every((part) => prefix.split(part).length === 2)
    ? { bucket, prefix }
    : undefined;
}
