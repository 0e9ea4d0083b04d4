import { randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { S3Feature } from '#src/adapters/object-store/s3.ts';

/** A real S3 server that `test/services` has started. */
export interface S3Server {
  readonly product: 'Ceph RGW' | 'versitygw' | 'LocalStack';
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface TestBucket {
  readonly name: string;
  readonly server: S3Server;
  /** A client of the test's own, to look behind the back of what is tested. */
  readonly client: S3Client;
  /** What a service needs to use the bucket, credentials among them. */
  readonly settings: Readonly<Record<string, string>>;
  /** Removes the bucket with every version, delete marker and unfinished upload in it. */
  close(): Promise<void>;
}

/** Ceph, or null: the tests that need it then skip themselves by name. */
export function cephServer(): S3Server | null {
  return fromEnvironment('Ceph RGW', 'TEST_S3');
}

/** versitygw, or null. */
export function versityServer(): S3Server | null {
  return fromEnvironment('versitygw', 'TEST_S3_SECOND');
}

/** LocalStack, or null. It checks no signatures. */
export function localStackServer(): S3Server | null {
  const endpoint = process.env['TEST_AWS_ENDPOINT'];
  if (!endpoint) return null;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  return { product: 'LocalStack', endpoint, region: 'us-east-1', credentials };
}

/** A client of these tests: path style, and checksums only where the protocol demands them. */
export function clientOf(server: S3Server): S3Client {
  return new S3Client({
    endpoint: server.endpoint,
    region: server.region,
    credentials: server.credentials,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

/** Another user of Ceph, who has no right to anything that a policy does not give. */
export function otherClientOf({ endpoint, region }: S3Server): S3Client {
  return new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    credentials: {
      accessKeyId: process.env['TEST_S3_OTHER_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: process.env['TEST_S3_OTHER_SECRET_ACCESS_KEY'] ?? '',
    },
  });
}

/** A new bucket on that server, for one file of tests. */
export async function createTestBucket(
  server: S3Server,
  options: { versioned?: boolean } = {},
): Promise<TestBucket> {
  const client = clientOf(server);
  const name = `test-${randomUUID()}`;
  await client.send(new CreateBucketCommand({ Bucket: name }));
  if (options.versioned)
    await client.send(
      new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration: { Status: 'Enabled' } }),
    );
  return {
    name,
    server,
    client,
    settings: settingsFor(server, name),
    async close() {
      await empty(client, name);
      await client.send(new DeleteBucketCommand({ Bucket: name }));
      client.destroy();
    },
  };
}

/** The settings of a service that keeps its objects in that bucket. */
function settingsFor(server: S3Server, bucket: string): Record<string, string> {
  return {
    STORAGE_DRIVER: 's3',
    S3_BUCKET: bucket,
    S3_REGION: server.region,
    S3_ENDPOINT: server.endpoint,
    S3_FORCE_PATH_STYLE: 'true',
    ...(server.product !== 'versitygw' && { S3_CHECKSUMS: 'when-required' }),
    S3_FEATURES: featuresOf(server).join(','),
    AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
  };
}

/** What a server can do of that which Amazon S3 can; `docs/storage/s3-servers.md` tells more. */
export function featuresOf(server: S3Server): readonly S3Feature[] {
  return FEATURES[server.product];
}

const FEATURES: Readonly<Record<S3Server['product'], readonly S3Feature[]>> = {
  'Ceph RGW': ['conditional-create', 'storage-classes', 'tags'],
  versitygw: ['conditional-create', 'tags'],
  LocalStack: ['conditional-create', 'storage-classes', 'restore', 'tags'],
};

function fromEnvironment(product: S3Server['product'], prefix: string): S3Server | null {
  const endpoint = process.env[`${prefix}_ENDPOINT`];
  const accessKeyId = process.env[`${prefix}_ACCESS_KEY_ID`];
  const secretAccessKey = process.env[`${prefix}_SECRET_ACCESS_KEY`];
  if (!endpoint || !accessKeyId || !secretAccessKey) return null;
  const region = process.env[`${prefix}_REGION`] ?? 'us-east-1';
  return { product, endpoint, region, credentials: { accessKeyId, secretAccessKey } };
}

async function empty(client: S3Client, bucket: string): Promise<void> {
  // A policy of a test may deny what follows.
  await client.send(new DeleteBucketPolicyCommand({ Bucket: bucket })).catch(() => undefined);
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  for (const { Key, UploadId } of Uploads)
    await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
  for (let isTruncated = true; isTruncated; ) {
    const page = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    for (const { Key, VersionId } of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])])
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }));
    isTruncated = page.IsTruncated ?? false;
  }
}
