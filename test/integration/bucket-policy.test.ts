import {
  GetBucketPolicyCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bucketPolicy } from '#src/domain/bucket-policy.ts';
import { cephServer, createTestBucket, otherClientOf, type TestBucket } from '#test/support/s3-server.ts';

const BUCKET = 'arn:aws:s3:::localex-storage';
const DISTRIBUTION = 'arn:aws:cloudfront::123456789012:distribution/E1EXAMPLE';
const options = {
  bucketArn: BUCKET,
  distributionArn: DISTRIBUTION,
  encryption: 'aws:kms',
  maxSignatureAgeSeconds: 3600,
} as const;

describe('the policy of a bucket', () => {
  const { Statement } = bucketPolicy(options);
  const named = (sid: string) => Statement.find((statement) => statement.Sid === sid);

  test('allows one thing: CloudFront reads what the edge may, for this distribution', () => {
    expect(Statement.filter((statement) => statement.Effect === 'Allow')).toEqual([
      {
        Sid: 'AllowCloudFrontToRead',
        Effect: 'Allow',
        Principal: { Service: 'cloudfront.amazonaws.com' },
        Action: 's3:GetObject',
        Resource: [`${BUCKET}/items/*`, `${BUCKET}/profiles/*`, `${BUCKET}/quarantine/view/*`],
        Condition: { StringEquals: { 'AWS:SourceArn': DISTRIBUTION } },
      },
    ]);
  });

  test('allows nothing where no distribution stands before the bucket', () => {
    const { Statement: alone } = bucketPolicy({ ...options, distributionArn: null });
    expect(alone.every((statement) => statement.Effect === 'Deny')).toBe(true);
  });

  test('denies CloudFront what is withheld at a public key, and nobody else', () => {
    expect(named('DenyWithheld')).toEqual({
      Sid: 'DenyWithheld',
      Effect: 'Deny',
      Principal: { Service: 'cloudfront.amazonaws.com' },
      Action: 's3:GetObject',
      Resource: [`${BUCKET}/items/*`, `${BUCKET}/profiles/*`],
      Condition: { StringEquals: { 's3:ExistingObjectTag/localex-withheld': 'yes' } },
    });
  });

  test('denies what comes without TLS, or with an old one, to everybody and for everything', () => {
    for (const [sid, condition] of [
      ['DenyWithoutTls', { Bool: { 'aws:SecureTransport': 'false' } }],
      ['DenyOldTls', { NumericLessThan: { 's3:TlsVersion': '1.2' } }],
    ] as const)
      expect(named(sid)).toEqual({
        Sid: sid,
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:*',
        Resource: [BUCKET, `${BUCKET}/*`],
        Condition: condition,
      });
  });

  test('denies another encryption and keys of a customer, and needs no wish for the right one', () => {
    expect(named('DenyOtherEncryption')?.Condition).toEqual({
      StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' },
      Null: { 's3:x-amz-server-side-encryption': 'false' },
    });
    expect(named('DenyCustomerKeys')?.Action).toBe('s3:PutObject');
  });

  test('ends presigned URLs that outlive what the service gives', () => {
    expect(named('DenyStaleUrls')?.Condition).toEqual({
      NumericGreaterThan: { 's3:signatureAge': '3600000' },
      StringEquals: { 's3:authType': 'REST-QUERY-STRING' },
    });
  });

  test('stays below the 20 KB that S3 takes, and no name occurs twice', () => {
    expect(JSON.stringify(bucketPolicy(options)).length).toBeLessThan(20_480);
    expect(new Set(Statement.map((statement) => statement.Sid)).size).toBe(Statement.length);
  });
});

const ceph = cephServer();

describe.skipIf(ceph === null)('the policy on a real bucket (needs TEST_S3_ENDPOINT, Ceph RGW)', () => {
  let bucket: TestBucket;
  const key = 'items/original/item-1/photo.jpg';

  beforeAll(async () => {
    if (ceph === null) return;
    bucket = await createTestBucket(ceph);
    await apply({ encryption: 'AES256' });
    await put({ Key: key });
  });
  afterAll(() => bucket?.close());

  /**
   * Ceph 16 takes every statement, and lets through what it has no value for: `aws:SecureTransport` without TLS, and the
   * fields of encryption (tried). Those are held by the tests above alone.
   */
  async function apply(change: Partial<Parameters<typeof bucketPolicy>[0]>): Promise<void> {
    const policy = bucketPolicy({ ...options, bucketArn: `arn:aws:s3:::${bucket.name}`, ...change });
    await bucket.client.send(
      new PutBucketPolicyCommand({ Bucket: bucket.name, Policy: JSON.stringify(policy) }),
    );
  }
  const put = (
    input: Omit<ConstructorParameters<typeof PutObjectCommand>[0], 'Bucket'>,
    client = bucket.client,
  ) => client.send(new PutObjectCommand({ Bucket: bucket.name, Body: Buffer.from('photo'), ...input }));
  const get = (client: S3Client) => client.send(new GetObjectCommand({ Bucket: bucket.name, Key: key }));
  const DENIED = { name: 'AccessDenied' };

  test('is taken by the server, and its owner reads and writes', async () => {
    await expect(get(bucket.client)).resolves.toMatchObject({ ContentLength: 5 });
    await expect(put({ Key: 'temp/uploads/x', ServerSideEncryption: 'AES256' })).resolves.toBeDefined();
  });

  test('nobody without a name reads, lists or writes', async () => {
    const { endpoint } = bucket.server;
    for (const [method, path] of [
      ['GET', `/${key}`],
      ['HEAD', `/${key}`],
      ['GET', '/?list-type=2'],
      ['PUT', '/items/original/item-1/mine.jpg'],
      ['DELETE', `/${key}`],
      ['GET', '/?policy'],
    ])
      expect((await fetch(`${endpoint}/${bucket.name}${path}`, { method: method ?? '' })).status).toBe(403);
    await expect(get(bucket.client)).resolves.toBeDefined();
  });

  test('another user of the same server is denied', async () => {
    const other = otherClientOf(bucket.server);
    await expect(get(other)).rejects.toMatchObject(DENIED);
    await expect(put({ Key: 'items/mine' }, other)).rejects.toMatchObject(DENIED);
    other.destroy();
  });

  test('says that TLS is needed', async () => {
    const { Policy } = await bucket.client.send(new GetBucketPolicyCommand({ Bucket: bucket.name }));
    expect(Policy).toContain('"aws:SecureTransport":"false"');
  });
});
