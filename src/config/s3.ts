import { httpAddress } from './address.ts';
import { bytes, choice, choices, flag, optional, type Read, text } from './setting.ts';

export const UPLOAD_TYPES = ['image/jpeg', 'image/png', 'image/webp'] as const;
export type UploadType = (typeof UPLOAD_TYPES)[number];

/** What servers of S3's protocol may lack; Amazon S3 has all. */
const FEATURES = ['conditional-create', 'storage-classes', 'restore', 'tags'] as const;

/** The figures that were agreed for LocalEx. */
export const S3_DEFAULTS = {
  region: 'us-east-1',
  bucket: 'localex-storage',
  maxFileSize: 10 * 1024 * 1024,
  allowedTypes: UPLOAD_TYPES,
  cdnUrl: 'https://cdn.localex.com',
} as const;

/** Credentials are not among the settings: the AWS SDK finds them by its default chain. */
export interface S3Config {
  readonly region: string;
  readonly bucket: string;
  /** Bytes of one upload, wherever objects are kept. */
  readonly maxFileSize: number;
  /** Media types of photos that are accepted; HEIC and AVIF are switched in `images.ts`. */
  readonly allowedTypes: readonly UploadType[];
  /** Where CloudFront serves the bucket. */
  readonly cdnUrl: string;
  /** Another server than Amazon's, for the same protocol. */
  readonly endpoint: string | null;
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. */
  readonly forcePathStyle: boolean;
  /** A copy in another region that reads fall back to. `endpoint` as that of the bucket. */
  readonly replica: {
    readonly region: string;
    readonly bucket: string;
    readonly endpoint: string | null;
  } | null;
  /** Whether bodies carry checksums wherever the protocol knows them, or only where it demands them. */
  readonly checksums: 'when-supported' | 'when-required';
  /** Who encrypts at rest: as the bucket is set, S3's own keys, or a key of KMS (null: the account's key for S3). */
  readonly encryption:
    | { readonly kind: 'bucket' }
    | { readonly kind: 's3' }
    | { readonly kind: 'kms'; readonly keyId: string | null };
  readonly features: readonly (typeof FEATURES)[number][];
}

const REGION = /^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/;
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const BUCKET = /^(?!.*\.\.)[a-z\d][a-z\d.-]{1,61}[a-z\d]$/;
const EXPECTED_REGION = 'the name of an AWS region such as us-east-1';
const EXPECTED_BUCKET = 'the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens';

export const S3 = {
  region: text('S3_REGION', {
    description: 'Region of the bucket.',
    default: S3_DEFAULTS.region,
    expected: EXPECTED_REGION,
    accepts: (value) => REGION.test(value),
  }),
  bucket: text('S3_BUCKET', {
    description: 'Bucket of all objects.',
    default: S3_DEFAULTS.bucket,
    expected: EXPECTED_BUCKET,
    accepts: (value) => BUCKET.test(value),
  }),
  maxFileSize: bytes('MAX_FILE_SIZE', {
    description: 'Size of one upload at most, wherever objects are kept.',
    default: S3_DEFAULTS.maxFileSize,
    min: 1024,
    max: 64 * 1024 ** 2,
  }),
  allowedTypes: choices('ALLOWED_TYPES', UPLOAD_TYPES, {
    description: 'Types of photos that are accepted, besides those that IMAGE_HEIC and IMAGE_AVIF allow.',
    default: UPLOAD_TYPES,
  }),
  endpoint: httpAddress('S3_ENDPOINT', {
    description: 'Another server than Amazon S3 that speaks its protocol.',
  }),
  forcePathStyle: flag('S3_FORCE_PATH_STYLE', {
    description: 'Whether the bucket is named in the path; most other servers want it.',
    default: false,
  }),
  replicaRegion: optional('S3_REPLICA_REGION', {
    description: 'Region of a replica that reads fall back to.',
    expected: EXPECTED_REGION,
    accepts: (value) => REGION.test(value),
  }),
  replicaBucket: optional('S3_REPLICA_BUCKET', {
    description: 'Bucket of that replica.',
    expected: EXPECTED_BUCKET,
    accepts: (value) => BUCKET.test(value),
  }),
  replicaEndpoint: httpAddress('S3_REPLICA_ENDPOINT', {
    description: 'Server of that replica; S3_ENDPOINT when not set.',
  }),
  checksums: choice('S3_CHECKSUMS', ['when-supported', 'when-required'], {
    description: 'Whether bodies carry checksums; some other servers want them only when required.',
    default: 'when-supported',
  }),
  encryption: choice('S3_SSE', ['bucket', 's3', 'kms'], {
    description:
      'Who encrypts at rest: as the bucket is set, S3 with its own keys (SSE-S3), or KMS (SSE-KMS).',
    default: 'bucket',
  }),
  kmsKeyId: optional('S3_SSE_KMS_KEY_ID', {
    description: 'Key of SSE-KMS; the account’s key for S3 when not set.',
    expected: 'the id, alias or ARN of a key',
  }),
  features: choices('S3_FEATURES', FEATURES, {
    description: 'What the server at S3_ENDPOINT can do; Amazon S3 can do all.',
    default: FEATURES,
  }),
};

/** @param cdnUrl CDN_URL, where it is set */
export function readS3(read: Read, cdnUrl: string | null): S3Config {
  const endpoint = read(S3.endpoint);
  const kind = read(S3.encryption);
  const region = read(S3.replicaRegion);
  const bucket = read(S3.replicaBucket);
  return {
    region: read(S3.region),
    bucket: read(S3.bucket),
    maxFileSize: read(S3.maxFileSize),
    allowedTypes: read(S3.allowedTypes),
    cdnUrl: cdnUrl ?? S3_DEFAULTS.cdnUrl,
    endpoint,
    forcePathStyle: read(S3.forcePathStyle),
    replica:
      region === null || bucket === null
        ? null
        : { region, bucket, endpoint: read(S3.replicaEndpoint) ?? endpoint },
    checksums: read(S3.checksums),
    encryption: kind === 'kms' ? { kind, keyId: read(S3.kmsKeyId) } : { kind },
    features: read(S3.features),
  };
}
