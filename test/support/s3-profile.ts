import { beforeEach } from 'vitest';
import { NOT_ON_S3 } from './not-on-s3.ts';

beforeEach(({ task, skip }) => {
  const reason = NOT_ON_S3.tests[task.name];
  if (reason !== undefined) skip(reason);
});
