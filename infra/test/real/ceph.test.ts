import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { flat } from '../support/flat.ts';
import { allOf, oneOf } from '../support/resources.ts';
import { EXAMPLE } from '../support/variants.ts';
import { BUCKET_SETTINGS } from './bucket-settings.ts';

const {
  TEST_S3_ENDPOINT: endpoint,
  TEST_S3_ACCESS_KEY_ID,
  TEST_S3_SECRET_ACCESS_KEY,
  TEST_S3_REGION,
} = process.env;

const Bucket = `infra-${randomUUID()}`;
const s3 = new S3Client({
  region: TEST_S3_REGION ?? 'us-east-1',
  ...(endpoint !== undefined && { endpoint }),
  credentials: { accessKeyId: TEST_S3_ACCESS_KEY_ID ?? '', secretAccessKey: TEST_S3_SECRET_ACCESS_KEY ?? '' },
  forcePathStyle: true,
  requestChecksumCalculation: 'WHEN_REQUIRED',
});

const { stack, properties } = oneOf(EXAMPLE, 'AWS::S3::Bucket', { BucketName: EXAMPLE.names.bucket });
const worked = z.record(z.string(), z.unknown()).parse(flat(properties, EXAMPLE, stack));
/** What Ceph has too; it takes a day of a lifecycle rule for some seconds. */
const ITS_OWN = BUCKET_SETTINGS.filter(({ name }) => ['versioning', 'lifecycle', 'CORS'].includes(name));

describe.skipIf(!endpoint)('a bucket on Ceph RGW (TEST_S3_ENDPOINT) with the synthesised settings', () => {
  beforeAll(async () => {
    await s3.send(new CreateBucketCommand({ Bucket }));
  });
  afterAll(() => s3.destroy());

  test.each(ITS_OWN)('takes $name', async ({ put, get }) => {
    await put(s3, Bucket, worked);
    expect(await get(s3, Bucket)).toBeDefined();
  });

  test('takes the policy, and the service’s own user still writes and reads', async () => {
    const policies = allOf(EXAMPLE, 'AWS::S3::BucketPolicy').map((each) =>
      flat(each.properties, EXAMPLE, each.stack),
    );
    const policy = policies.find((each) => JSON.stringify(each).includes('AllowCloudFrontToRead'));
    const { PolicyDocument } = z.looseObject({ PolicyDocument: z.unknown() }).parse(policy);
    const Policy = JSON.stringify(PolicyDocument).replaceAll(EXAMPLE.names.bucket, Bucket);
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'items/large/bike/a.jpg', Body: 'a' }));
    expect(await keys()).toEqual(['items/large/bike/a.jpg']);
  });

  test('what lies under temp/ goes away by itself, and nothing else does', { timeout: 180_000 }, async () => {
    const kept = ['items/original/bike/a.jpg', 'quarantine/raw/b', 'verification/documents/ada/c.enc'];
    for (const Key of [...kept, 'temp/uploads/d'])
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    expect(await keys()).toContain('temp/uploads/d');
    await expect.poll(keys, { timeout: 150_000, interval: 1000 }).not.toContain('temp/uploads/d');
    expect(await keys()).toEqual(expect.arrayContaining(kept));
  });
});

async function keys(): Promise<readonly string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  return Contents.map(({ Key = '' }) => Key);
}
