import { describe, test } from 'vitest';
import type { ObjectKey } from '#src/domain/keys.ts';
import { cephServer, localStackServer, type S3Server, versityServer } from '#test/support/s3-server.ts';
import { leaveParts, openTestStore } from '#test/support/s3-store.ts';
import { S3_GAPS } from './object-store/s3-gaps.ts';
import { objectStoreContract } from './object-store.contract.ts';

/** Servers that nobody here wrote; docs/storage/s3-servers.md says what each has proved. */
const SERVERS: readonly [S3Server['product'], S3Server | null, string][] = [
  ['Ceph RGW', cephServer(), 'TEST_S3_ENDPOINT'],
  ['versitygw', versityServer(), 'TEST_S3_SECOND_ENDPOINT'],
  ['LocalStack', localStackServer(), 'TEST_AWS_ENDPOINT'],
];

for (const [product, server, variable] of SERVERS)
  if (server === null)
    describe(`an object store on S3 (${product})`, () => {
      test.skip(`${variable} names no server`, () => {});
    });
  else
    objectStoreContract(`S3 (${product})`, async () => {
      const { store, bucket } = await openTestStore(server);
      const leaveUnfinished = (key: ObjectKey) => leaveParts(bucket, key);
      return { store, leaveUnfinished, gaps: S3_GAPS[product], stop: () => bucket.close() };
    });
