import { CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import {
  createS3ObjectStore,
  type S3ObjectStore,
  type S3ObjectStoreOptions,
} from '#src/adapters/object-store/s3.ts';
import { createTestBucket, featuresOf, type S3Server, type TestBucket } from './s3-server.ts';

/** How the adapter is told of a bucket of a test. */
export function optionsFor(bucket: Pick<TestBucket, 'name' | 'server'>): S3ObjectStoreOptions {
  const { server } = bucket;
  return {
    bucket: bucket.name,
    region: server.region,
    endpoint: server.endpoint,
    forcePathStyle: true,
    checksums: server.product === 'versitygw' ? 'when-supported' : 'when-required',
    encryption: { kind: 'bucket' },
    features: featuresOf(server),
    credentials: server.credentials,
  };
}

/** The adapter on a bucket of its own. */
export async function openTestStore(
  server: S3Server,
  options: { versioned?: boolean } & Partial<S3ObjectStoreOptions> = {},
): Promise<{ store: S3ObjectStore; bucket: TestBucket }> {
  const { versioned = false, ...changes } = options;
  const bucket = await createTestBucket(server, { versioned });
  return { store: await createS3ObjectStore({ ...optionsFor(bucket), ...changes }), bucket };
}

/** A multipart upload with one part, of a process that has died. */
export async function leaveParts(bucket: TestBucket, key: string): Promise<void> {
  const at = { Bucket: bucket.name, Key: key };
  const { UploadId } = await bucket.client.send(new CreateMultipartUploadCommand(at));
  const Body = Buffer.alloc(5 * 1024 ** 2);
  await bucket.client.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body }));
}
