import {
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketPolicyCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createS3ObjectStore } from '#src/adapters/object-store/s3.ts';
import { bucketPolicy, type PolicyStatement } from '#src/domain/bucket-policy.ts';
import { stopWithholding, withhold } from '#src/services/storage/withhold.ts';
import { createStorageService, type StorageService } from '#src/services/storage.service.ts';
import { cephServer, createTestBucket, otherClientOf, type TestBucket } from '#test/support/s3-server.ts';
import { optionsFor } from '#test/support/s3-store.ts';

const ceph = cephServer();

/**
 * The policy as it is deployed, but for who is meant: on Ceph another user stands for CloudFront, whose service and
 * distribution it does not know. Ceph evaluates `s3:ExistingObjectTag`.
 */
describe.skipIf(ceph === null)(
  'what is withheld, in a real bucket (needs TEST_S3_ENDPOINT, Ceph RGW)',
  () => {
    const KEY = 'items/original/item-1/photo.jpg';
    const OTHER_KEY = 'items/large/item-1/photo.jpg';
    let bucket: TestBucket;
    let storage: StorageService;
    let cloudFront: S3Client;

    beforeAll(async () => {
      if (ceph === null) return;
      bucket = await createTestBucket(ceph);
      storage = createStorageService({ store: await createS3ObjectStore(optionsFor(bucket)) });
      cloudFront = otherClientOf(ceph);
      for (const key of [KEY, OTHER_KEY])
        await storage.uploadFile(Buffer.from('photo'), { key, contentType: 'image/jpeg' });
      await apply(() => true);
    });
    afterAll(async () => {
      cloudFront?.destroy();
      await bucket?.close();
    });

    async function apply(isWanted: (statement: PolicyStatement) => boolean): Promise<void> {
      const { Version, Statement } = bucketPolicy({
        bucketArn: `arn:aws:s3:::${bucket.name}`,
        distributionArn: 'arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE',
        encryption: 'AES256',
        maxSignatureAgeSeconds: 3600,
      });
      const Policy = JSON.stringify({ Version, Statement: Statement.filter(isWanted).map(forTheOther) });
      await bucket.client.send(new PutBucketPolicyCommand({ Bucket: bucket.name, Policy }));
    }

    const at = (key: string) => ({ Bucket: bucket.name, Key: key });
    const read = async (key: string) => {
      const { Body } = await cloudFront.send(new GetObjectCommand(at(key)));
      return Body?.transformToString();
    };
    const DENIED = { name: 'AccessDenied' };

    test('is denied to CloudFront from when it is tagged until the tag goes, and is read by the service all the same', async () => {
      expect(await read(KEY)).toBe('photo');
      await expect(withhold(storage, KEY)).resolves.toBe(true);
      await expect(read(KEY)).rejects.toMatchObject(DENIED);
      await expect(cloudFront.send(new HeadObjectCommand(at(KEY)))).rejects.toMatchObject({
        $metadata: { httpStatusCode: 403 },
      });
      expect(await read(OTHER_KEY)).toBe('photo');
      expect((await storage.fileInfo(KEY)).bytes).toBe(5);
      await stopWithholding(storage, KEY);
      expect(await read(KEY)).toBe('photo');
    });

    test('is denied for its tag alone: another tag, or another value, denies nothing', async () => {
      for (const tags of [{ team: 'photos' }, { 'localex-withheld': 'no' }]) {
        await storage.tagFile(KEY, tags);
        expect(await read(KEY)).toBe('photo');
      }
    });

    test('is right again for CloudFront when the right bytes are written over it', async () => {
      await withhold(storage, KEY);
      await storage.uploadFile(Buffer.from('right'), { key: KEY, contentType: 'image/jpeg' });
      expect(await read(KEY)).toBe('right');
    });

    test('would be read without that statement', async () => {
      await withhold(storage, KEY);
      await apply(({ Sid }) => Sid !== 'DenyWithheld');
      expect(await read(KEY)).toBe('right');
    });
  },
);

/** The two statements about CloudFront, about the other user. */
function forTheOther(statement: PolicyStatement): object {
  if (!JSON.stringify(statement.Principal).includes('cloudfront')) return statement;
  const { Condition = {}, ...rest } = statement;
  const isBySource = JSON.stringify(Condition).includes('AWS:SourceArn');
  return {
    ...rest,
    Principal: { AWS: ['arn:aws:iam:::user/other'] },
    ...(!isBySource && { Condition }),
  };
}
