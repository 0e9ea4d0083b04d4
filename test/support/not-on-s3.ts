const PAGE = 'is about the page, wherever objects are';
const BEFORE_ANY_OBJECT = 'is about who asks, which is settled before any object';
const SAME_BYTES = 'is about what is in a photo; that a bucket gives back those bytes, `scrub.test.ts` shows';
const FORMS = 'there the bucket answers forms, in words of its own: `direct-uploads*.s3.test.ts`';

/**
 * What `npm run test:s3` leaves out of the suites that it runs with objects in a bucket, each with the reason. The rest of
 * their files know nothing of the store. `docs/storage/s3-servers.md` repeats it.
 */
export const NOT_ON_S3: {
  /** Whole files, by path. */
  readonly files: Readonly<Record<string, string>>;
  /** Tests by name, in files that are run otherwise. */
  readonly tests: Readonly<Record<string, string>>;
} = {
  files: {
    'test/acceptance/access.test.ts': BEFORE_ANY_OBJECT,
    'test/acceptance/callers.test.ts': BEFORE_ANY_OBJECT,
    'test/acceptance/phone-photos.test.ts': SAME_BYTES,
    'test/acceptance/readme.test.ts': 'is about the commands of the README, which names no bucket',
    'test/acceptance/receipts.test.ts': SAME_BYTES,
    'test/acceptance/setup-guide.test.ts': 'makes a bucket of its own, and is run with the other tests',
    'test/faults/bucket-in-trouble.test.ts': 'makes a bucket of its own, and is run with the other tests',
    'test/faults/cdn-purges.test.ts': 'is about rows and CloudFront, wherever objects are',
    'test/faults/scanner.test.ts': 'is about clamd, wherever objects are',
    'test/faults/storage-full.test.ts': 'a bucket of Amazon S3 does not get full',
    'test/e2e/archive.test.ts': 'archives, which Ceph cannot undo',
    'test/e2e/hints.test.ts': PAGE,
    'test/e2e/pages.test.ts': PAGE,
    'test/e2e/review-findings.test.ts': PAGE,
    'test/e2e/review-queue.test.ts': PAGE,
  },
  tests: {
    'that is sent again after completion changes nothing': FORMS,
    'with a changed field is refused': FORMS,
    'of more bytes than were reserved is refused': FORMS,
  },
};
