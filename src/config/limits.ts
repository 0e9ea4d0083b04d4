import { bytes, choice, integer, optional, type Read } from './setting.ts';

export interface LimitsConfig {
  readonly photosPerItem: number;
  /** Uploads of one owner that are on their way at once. */
  readonly unfinishedPerOwner: number;
  /** Uploaded bytes of one owner that count. */
  readonly bytesPerOwner: number;
  /** Uploads and reservations of one caller. */
  readonly uploadsPerMinute: number;
  /** Uploaded and reserved bytes of one caller. */
  readonly uploadBytesPerHour: number;
  /** Requests of one user, and of one address without a token. */
  readonly requestsPerMinute: { readonly user: number; readonly address: number };
  /** Requests of one caller on one route that costs more than reading rows. */
  readonly costlyPerMinute: number;
  /** Where these are counted. */
  readonly store: 'memory' | 'postgres' | 'redis';
  /** What happens while nobody answers there. */
  readonly fallback: 'memory' | 'refuse';
  /** Characters of a file's name that are kept. */
  readonly maxFilenameLength: number;
  /** Files received at one time in one process; more wait their turn, then are told BUSY. */
  readonly concurrentUploads: number;
  /** A request that has not arrived whole after so long is cut off. */
  readonly bodyTimeoutMs: number;
}

export const LIMITS = {
  photosPerItem: integer('PHOTOS_PER_ITEM', {
    description: 'Photos of one listing at most.',
    default: 24,
    min: 1,
    max: 1000,
  }),
  unfinishedPerOwner: integer('UNFINISHED_UPLOADS_PER_OWNER', {
    description: 'Uploads of one owner that may be on their way at once.',
    default: 200,
    min: 1,
    max: 100_000,
  }),
  bytesPerOwner: bytes('BYTES_PER_OWNER', {
    description: 'Uploaded bytes that one owner may keep.',
    default: 5 * 1024 ** 3,
    min: 1024 ** 2,
    max: 1024 ** 5,
  }),
  uploadsPerMinute: integer('UPLOADS_PER_MINUTE', {
    description: 'Uploads that one caller may begin within a minute.',
    default: 120,
    min: 1,
    max: 1_000_000,
  }),
  uploadBytesPerHour: bytes('UPLOAD_BYTES_PER_HOUR', {
    description: 'Bytes that one caller may upload or reserve within an hour.',
    default: 10 * 1024 ** 3,
    min: 1024 ** 2,
    max: 1024 ** 5,
  }),
  requestsPerMinutePerUser: integer('REQUESTS_PER_MINUTE_PER_USER', {
    description: 'Requests of one user within a minute. Tokens with the role service have no such limit.',
    default: 6000,
    min: 1,
    max: 100_000_000,
  }),
  requestsPerMinutePerAddress: integer('REQUESTS_PER_MINUTE_PER_ADDRESS', {
    description:
      'Requests without a token of one address (IPv6: one network of 64 bits) within a minute. Behind a proxy TRUST_PROXY has to be set, or all are of one address.',
    default: 60_000,
    min: 1,
    max: 100_000_000,
  }),
  costlyPerMinute: integer('COSTLY_REQUESTS_PER_MINUTE', {
    description:
      'Requests of one caller within a minute on each route that signs, decrypts, hashes or is put before people.',
    default: 600,
    min: 1,
    max: 100_000_000,
  }),
  store: optional('RATE_LIMIT_STORE', {
    description:
      'Where limits are counted: memory (each process for itself), postgres (uploads for all processes, requests for each) or redis; redis when REDIS_URL is set, else memory.',
    expected: 'one of memory, postgres, redis',
    accepts: (value) => isStore(value),
  }),
  fallback: choice('RATE_LIMIT_FALLBACK', ['memory', 'refuse'], {
    description:
      'While limits cannot be counted there: each process counts for itself (memory), or what is limited answers 503 (refuse).',
    default: 'memory',
  }),
  maxFilenameLength: integer('MAX_FILENAME_LENGTH', {
    description: 'Characters of a file name that are kept.',
    default: 200,
    min: 16,
    max: 1024,
  }),
  concurrentUploads: integer('CONCURRENT_UPLOADS', {
    description: 'Files received at one time in one process; more wait, then are told to come back.',
    default: 32,
    min: 1,
    max: 10_000,
  }),
  bodyTimeoutMs: integer('BODY_TIMEOUT_MS', {
    description: 'Milliseconds after which a request that has not arrived whole is cut off.',
    default: 300_000,
    min: 1000,
    max: 3_600_000,
  }),
};

/** @param redisUrl the server that counts when nothing else is said */
export function readLimits(read: Read, redisUrl: string | null): LimitsConfig {
  const store = read(LIMITS.store);
  return {
    photosPerItem: read(LIMITS.photosPerItem),
    unfinishedPerOwner: read(LIMITS.unfinishedPerOwner),
    bytesPerOwner: read(LIMITS.bytesPerOwner),
    uploadsPerMinute: read(LIMITS.uploadsPerMinute),
    uploadBytesPerHour: read(LIMITS.uploadBytesPerHour),
    requestsPerMinute: {
      user: read(LIMITS.requestsPerMinutePerUser),
      address: read(LIMITS.requestsPerMinutePerAddress),
    },
    costlyPerMinute: read(LIMITS.costlyPerMinute),
    store: store !== null && isStore(store) ? store : redisUrl === null ? 'memory' : 'redis',
    fallback: read(LIMITS.fallback),
    maxFilenameLength: read(LIMITS.maxFilenameLength),
    concurrentUploads: read(LIMITS.concurrentUploads),
    bodyTimeoutMs: read(LIMITS.bodyTimeoutMs),
  };
}

function isStore(value: string): value is LimitsConfig['store'] {
  return value === 'memory' || value === 'postgres' || value === 'redis';
}
