import { beforeEach } from 'vitest';

const BUCKETS = 'on S3 the bucket answers that: test/acceptance/direct-uploads*.s3.test.ts';

/**
 * Tests of the suites that cannot say the same of a bucket, by name, with the reason: three look at what this service
 * answers to a form, where the bucket answers with words and codes of its own; one fills a disk.
 */
const ONLY_ON_THE_FILE_SYSTEM: Readonly<Record<string, string>> = {
  'that is sent again after completion changes nothing': BUCKETS,
  'with a changed field is refused': BUCKETS,
  'of more bytes than were reserved is refused': BUCKETS,
  'answers 507, leaves nothing, and takes a photo that fits': 'a bucket of Amazon S3 does not get full',
};

beforeEach(({ task, skip }) => {
  const reason = ONLY_ON_THE_FILE_SYSTEM[task.name];
  if (reason !== undefined) skip(reason);
});
