import type { StorageClass } from './storage-class.ts';

/** What one storage class costs, in US dollars. */
export interface ClassPrices {
  /** For 2^30 bytes kept for a month. Where S3 chooses the tier itself: of the one for what is read. */
  readonly gibMonth: number;
  /** The same of what nobody has read for long, where S3 has tiered it down by then; else `gibMonth`. */
  readonly idleGibMonth?: number;
  /** For watching one object for a month. */
  readonly watchMonth: number;
  /** For one PUT, COPY or transition into the class; the dearest of them. */
  readonly write: number;
  /** For one GET. */
  readonly read: number;
  /** For 2^30 bytes read from it, or restored by a standard retrieval. */
  readonly retrievedGib: number;
  /** For asking to restore one object. */
  readonly restore: number;
  /** What leaves the class before is charged as if it had stayed. */
  readonly minimumDays: number;
  /** A smaller object is charged as if it had this size. */
  readonly minimumBytes: number;
  /** Kept beside each object for its index, and charged at the price of its class. */
  readonly indexBytes: number;
  /** Kept beside each object for its name, and charged at the price of STANDARD. */
  readonly nameBytes: number;
}

export interface Prices {
  readonly region: string;
  /** When they were read from the public price page. */
  readonly asOf: string;
  readonly source: string;
  readonly classes: Readonly<Record<StorageClass, ClassPrices>>;
}

const KIB = 1024;
const per1000 = (usd: number) => usd / 1000;
const PLAIN = { minimumDays: 0, minimumBytes: 0, indexBytes: 0, nameBytes: 0, restore: 0, watchMonth: 0 };
/** "Understanding and managing Amazon S3 storage classes", Amazon S3 User Guide (2025). */
const ARCHIVE_OVERHEAD = { minimumBytes: 0, indexBytes: 32 * KIB, nameBytes: 8 * KIB, watchMonth: 0 };

/**
 * N. Virginia, first 50 TB a month, without taxes and without transfer. Sources: price page of Amazon S3 (2025);
 * minimum duration and size: "Amazon S3 storage classes", Amazon S3 User Guide (2025). Another region has the same
 * shape and other numbers.
 */
export const US_EAST_1: Prices = {
  region: 'us-east-1',
  asOf: '2025-11-01',
  source: 'https://aws.amazon.com/s3/pricing/',
  classes: {
    STANDARD: {
      ...PLAIN,
      gibMonth: 0.023,
      write: per1000(0.005),
      read: per1000(0.0004),
      retrievedGib: 0,
    },
    // Frequent Access; after 90 days without a read Archive Instant Access. Objects of 128 KiB and more are watched.
    INTELLIGENT_TIERING: {
      ...PLAIN,
      gibMonth: 0.023,
      idleGibMonth: 0.004,
      watchMonth: per1000(0.0025),
      write: per1000(0.01),
      read: per1000(0.0004),
      retrievedGib: 0,
    },
    STANDARD_IA: {
      ...PLAIN,
      gibMonth: 0.0125,
      write: per1000(0.01),
      read: per1000(0.001),
      retrievedGib: 0.01,
      minimumDays: 30,
      minimumBytes: 128 * KIB,
    },
    ONEZONE_IA: {
      ...PLAIN,
      gibMonth: 0.01,
      write: per1000(0.01),
      read: per1000(0.001),
      retrievedGib: 0.01,
      minimumDays: 30,
      minimumBytes: 128 * KIB,
    },
    GLACIER_IR: {
      ...PLAIN,
      gibMonth: 0.004,
      write: per1000(0.02),
      read: per1000(0.01),
      retrievedGib: 0.03,
      minimumDays: 90,
      minimumBytes: 128 * KIB,
    },
    GLACIER: {
      ...ARCHIVE_OVERHEAD,
      gibMonth: 0.0036,
      write: per1000(0.03),
      read: per1000(0.0004),
      retrievedGib: 0.01,
      restore: per1000(0.05),
      minimumDays: 90,
    },
    DEEP_ARCHIVE: {
      ...ARCHIVE_OVERHEAD,
      gibMonth: 0.00099,
      write: per1000(0.05),
      read: per1000(0.0004),
      retrievedGib: 0.02,
      restore: per1000(0.1),
      minimumDays: 180,
    },
  },
};
