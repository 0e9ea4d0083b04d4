import { PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createS3ObjectStore, type S3ObjectStoreOptions } from '#src/adapters/object-store/s3.ts';
import { objectKey } from '#src/domain/keys.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '#test/support/fault-proxy.ts';
import { cephServer, createTestBucket, type TestBucket, versityServer } from '#test/support/s3-server.ts';
import { optionsFor } from '#test/support/s3-store.ts';

const ceph = cephServer();
const versity = versityServer();

/** The sentence that a start on these settings fails with; an open store fails the test. */
async function refusal(options: S3ObjectStoreOptions): Promise<string> {
  const [start] = await Promise.allSettled([createS3ObjectStore(options)]);
  if (start.status === 'fulfilled') {
    await start.value.close();
    throw new Error('Expected the start to be refused');
  }
  expect(start.reason).toMatchObject({ code: 'INVALID_CONFIGURATION' });
  const { message } = start.reason instanceof Error ? start.reason : new Error('Expected an error');
  expect(message.trim().split('\n')).toHaveLength(1);
  return message;
}

describe.skipIf(ceph === null)('a start on a bucket that cannot be used (Ceph; skipped: no server)', () => {
  let bucket: TestBucket;
  let proxy: FaultProxy;
  beforeAll(async () => {
    if (ceph === null) return;
    bucket = await createTestBucket(ceph);
    proxy = await startFaultProxy(ceph.endpoint);
  });
  afterAll(async () => {
    await proxy.close();
    await bucket.close();
  });

  test('says that the bucket is not there', async () => {
    const missing = `missing-${bucket.name}`;
    expect(await refusal({ ...optionsFor(bucket), bucket: missing })).toMatch(
      new RegExp(`^S3_BUCKET names "${missing}", which is not there .* create it`),
    );
  });

  test('says which replica is not there', async () => {
    const variables = { bucket: 'S3_REPLICA_BUCKET', region: 'S3_REPLICA_REGION', endpoint: 'S3_ENDPOINT' };
    const replica = { ...optionsFor(bucket), bucket: 'not-there', role: 'replica', variables } as const;
    expect(await refusal(replica)).toMatch(/^S3_REPLICA_BUCKET names "not-there"/);
  });

  test.each([
    ['an unknown key', { accessKeyId: 'UNKNOWN', secretAccessKey: 'x' }],
    [
      'a wrong secret',
      { ...ceph?.credentials, accessKeyId: ceph?.credentials.accessKeyId ?? '', secretAccessKey: 'x' },
    ],
  ])('says that it does not know the credentials: %s', async (_, credentials) => {
    expect(await refusal({ ...optionsFor(bucket), credentials })).toMatch(
      /AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY/,
    );
  });

  test('says which prefix is denied, and what to allow', async () => {
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Principal: '*',
          Action: ['s3:PutObject'],
          Resource: [`arn:aws:s3:::${bucket.name}/profiles/*`],
        },
      ],
    });
    const denied = await createTestBucket(bucket.server);
    const policy = Policy.replaceAll(bucket.name, denied.name);
    await denied.client.send(new PutBucketPolicyCommand({ Bucket: denied.name, Policy: policy }));
    const message = await refusal(optionsFor(denied));
    await denied.close();
    expect(message).toContain('may not write below "profiles/"');
    expect(message).toContain(`allow s3:PutObject on arn:aws:s3:::${denied.name}/profiles/*`);
  });

  test('says that others may not list what is not theirs', async () => {
    const accessKeyId = process.env['TEST_S3_OTHER_ACCESS_KEY_ID'] ?? '';
    const secretAccessKey = process.env['TEST_S3_OTHER_SECRET_ACCESS_KEY'] ?? '';
    const message = await refusal({ ...optionsFor(bucket), credentials: { accessKeyId, secretAccessKey } });
    expect(message).toMatch(/may not list the bucket ".*" of S3_BUCKET: allow s3:ListBucket/);
  });

  test('says that a server overwrites what it must not', async () => {
    const versioned = await createTestBucket(bucket.server, { versioned: true });
    const message = await refusal(optionsFor(versioned));
    await versioned.close();
    expect(message).toMatch(/S3_FEATURES says conditional-create, but the server of S3_ENDPOINT overwrites/);
  });

  test('leaves nothing behind, whether it succeeds or not', async () => {
    const store = await createS3ObjectStore(optionsFor(bucket));
    expect(await store.list('', { limit: 10 })).toEqual({ objects: [], next: null });
    expect(await store.sweepIncomplete(0)).toBe(0);
    await store.close();
  });

  // What no server here says. Codes and fields: Amazon S3 API Reference, "Error responses", 2025.
  test.each<[string, Fault, RegExp]>([
    [
      'the bucket is in another region, to a HEAD or a GET',
      {
        kind: 'error',
        status: 301,
        code: 'PermanentRedirect',
        headers: { 'x-amz-bucket-region': 'eu-west-1' },
      },
      /^S3_REGION is "us-east-1", but the bucket ".*" is in "eu-west-1": set S3_REGION to that/,
    ],
    [
      'the signature names another region',
      { kind: 'error', status: 400, code: 'AuthorizationHeaderMalformed', fields: { Region: 'eu-west-1' } },
      /^S3_REGION is "us-east-1", but the bucket ".*" is in "eu-west-1"/,
    ],
    [
      'the token has expired',
      { kind: 'error', status: 400, code: 'ExpiredToken' },
      /credentials for the bucket have expired: renew AWS_SESSION_TOKEN/,
    ],
    [
      'the clock is off, and cannot be mended from the answer',
      { kind: 'error', status: 403, code: 'RequestTimeTooSkewed' },
      /clock of this machine is more than 15 minutes off/,
    ],
  ])('says that %s', async (_, fault, expected) => {
    proxy.inject(() => fault);
    expect(await refusal({ ...optionsFor(bucket), endpoint: proxy.url })).toMatch(expected);
  });

  test('waits for a server that is being started', async () => {
    proxy.inject(({ number }) => (number % 3 === 0 ? null : { kind: 'reset' }));
    const store = await createS3ObjectStore({ ...optionsFor(bucket), endpoint: proxy.url });
    expect(proxy.seen.length).toBeGreaterThan(30);
    await store.close();
  });

  test('heals a clock that is twenty minutes off, from what the server says', async () => {
    for (const minutes of [-20, 20]) {
      const clock = { now: () => new Date(Date.now() + minutes * 60_000) };
      const store = await createS3ObjectStore({ ...optionsFor(bucket), clock });
      const url = await store.signGetUrl(objectKey('missing'), 60);
      expect((await fetch(url)).status).toBe(404);
      await store.close();
    }
  });
});

describe.skipIf(versity === null)(
  'a start on a bucket of another region (versitygw; skipped: no server)',
  () => {
    test('says which region it is in', async () => {
      if (versity === null) return;
      const bucket = await createTestBucket(versity);
      const message = await refusal({ ...optionsFor(bucket), region: 'eu-west-1' });
      await bucket.close();
      expect(message).toMatch(/^S3_REGION is "eu-west-1", but the bucket ".*" is in "us-east-1"/);
    });
  },
);
