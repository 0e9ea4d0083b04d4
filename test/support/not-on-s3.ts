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
    'test/acceptance/setup-guide.test.ts': 'makes a bucket of its own, and is run with the other tests',
    'test/faults/bucket-in-trouble.test.ts': 'makes a bucket of its own, and is run with the other tests',
    'test/faults/cdn-purges.test.ts': 'is about rows and CloudFront, wherever objects are',
    'test/faults/scanner.test.ts': 'is about clamd, wherever objects are',
    'test/e2e/review-queue.test.ts': 'is about the page, wherever objects are',
    'test/e2e/archive.test.ts': 'archives, which Ceph cannot undo',
  },
  tests: {
    'that is sent again after completion changes nothing': FORMS,
    'with a changed field is refused': FORMS,
    'of more bytes than were reserved is refused': FORMS,
    'answers 507, leaves nothing, and takes a photo that fits': 'a bucket of Amazon S3 does not get full',
  },
};
