import { bytes, integer, type Read } from './setting.ts';

export interface LimitsConfig {
  readonly photosPerItem: number;
  /** Uploads of one owner that are on their way at once. */
  readonly unfinishedPerOwner: number;
  /** Uploaded bytes of one owner that count. */
  readonly bytesPerOwner: number;
  /** Uploads and reservations of one caller. */
  readonly uploadsPerMinute: number;
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

export function readLimits(read: Read): LimitsConfig {
  return {
    photosPerItem: read(LIMITS.photosPerItem),
    unfinishedPerOwner: read(LIMITS.unfinishedPerOwner),
    bytesPerOwner: read(LIMITS.bytesPerOwner),
    uploadsPerMinute: read(LIMITS.uploadsPerMinute),
    maxFilenameLength: read(LIMITS.maxFilenameLength),
    concurrentUploads: read(LIMITS.concurrentUploads),
    bodyTimeoutMs: read(LIMITS.bodyTimeoutMs),
  };
}
