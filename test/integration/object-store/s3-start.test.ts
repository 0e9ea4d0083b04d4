import { ListObjectVersionsCommand, PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createS3ObjectStore, type S3ObjectStoreOptions } from '#src/adapters/object-store/s3.ts';
import { prefixesWrittenBy } from '#src/app/object-stores.ts';
import { objectKey } from '#src/domain/keys.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '#test/support/fault-proxy.ts';
import { cephServer, createTestBucket, type TestBucket, versityServer } from '#test/support/s3-server.ts';
import { optionsFor } from '#test/support/s3-store.ts';

const ceph = cephServer();
const versity = versityServer();
const REPLICA = {
  role: 'replica',
  variables: { bucket: 'S3_REPLICA_BUCKET', region: 'S3_REPLICA_REGION', endpoint: 'S3_ENDPOINT' },
} as const;

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

  /** A bucket whose policy denies one action below a prefix. */
  async function denying(Action: string, prefix: string, how: { versioned?: boolean }): Promise<TestBucket> {
    const denied = await createTestBucket(bucket.server, how);
    const Resource = `arn:aws:s3:::${denied.name}/${prefix}*`;
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Principal: '*', Action, Resource }],
    });
    await denied.client.send(new PutBucketPolicyCommand({ Bucket: denied.name, Policy }));
    return denied;
  }

  async function refusalWithout(
    action: string,
    prefix: string,
    { versioned = false, ...options }: { versioned?: boolean } & Partial<S3ObjectStoreOptions> = {},
  ): Promise<{ name: string; message: string }> {
    const denied = await denying(action, prefix, { versioned });
    const message = await refusal({ ...optionsFor(denied), ...options });
    await denied.close();
    return { name: denied.name, message };
  }

  test('says that the bucket is not there', async () => {
    const missing = `missing-${bucket.name}`;
    expect(await refusal({ ...optionsFor(bucket), bucket: missing })).toMatch(
      new RegExp(`^S3_BUCKET names "${missing}", which is not there .* create it`),
    );
  });

  test('says which replica is not there', async () => {
    expect(await refusal({ ...optionsFor(bucket), ...REPLICA, bucket: 'not-there' })).toMatch(
      /^S3_REPLICA_BUCKET names "not-there"/,
    );
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

  test.each(['profiles/', 'verification/documents/', 'audit/'])(
    'says that nothing may be written below %s, and what to allow',
    async (prefix) => {
      const { name, message } = await refusalWithout('s3:PutObject', prefix);
      expect(message).toContain(`may not write below "${prefix}"`);
      expect(message).toContain(`in the bucket "${name}" of S3_BUCKET`);
      expect(message).toContain(`allow s3:PutObject on arn:aws:s3:::${name}/${prefix}*`);
    },
  );

  test.each(['items/', 'profiles/', 'quarantine/', 'verification/documents/'])(
    'says that nothing may be deleted below %s in the replica, and what to allow',
    async (prefix) => {
      const { name, message } = await refusalWithout('s3:DeleteObject', prefix, REPLICA);
      expect(message).toContain(`may not delete below "${prefix}"`);
      expect(message).toContain(`in the bucket "${name}" of S3_REPLICA_BUCKET`);
      expect(message).toContain(`allow s3:DeleteObject on arn:aws:s3:::${name}/${prefix}*`);
    },
  );

  test('says that versions may not be deleted in a replica that keeps them', async () => {
    const versions = { ...REPLICA, versioned: true };
    const { name, message } = await refusalWithout('s3:DeleteObjectVersion', 'profiles/', versions);
    expect(message).toContain(`allow s3:DeleteObjectVersion on arn:aws:s3:::${name}/profiles/*`);
  });

  test('does not ask for what this process does not do: heads of the ledger, writing to a replica', async () => {
    const ledger = await denying('s3:PutObject', 'audit/anchors/', {});
    const writes = prefixesWrittenBy(['http', 'edge']);
    const web = await createS3ObjectStore({ ...optionsFor(ledger), writes });
    await web.close();
    await ledger.close();
    expect(await refusalWithout('s3:PutObject', 'audit/')).toBeDefined();
    const replica = await denying('s3:PutObject', '', {});
    const copy = await createS3ObjectStore({ ...optionsFor(replica), role: 'replica' });
    await copy.close();
    await replica.close();
  });

  test.each(['s3:PutObject', 's3:AbortMultipartUpload'])(
    'says that a web process may not write what an admin accepts after a restore: %s',
    async (action) => {
      const writes = prefixesWrittenBy(['http', 'edge']);
      const { name, message } = await refusalWithout(action, 'audit/restores/', { writes });
      expect(message).toContain(`allow ${action} on arn:aws:s3:::${name}/audit/restores/*`);
    },
  );

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

  test('leaves nothing behind in a bucket that keeps versions', async () => {
    const versioned = await createTestBucket(bucket.server, { versioned: true });
    const features = optionsFor(versioned).features.filter((feature) => feature !== 'conditional-create');
    for (const role of ['primary', 'replica'] as const)
      await (await createS3ObjectStore({ ...optionsFor(versioned), role, features })).close();
    const list = new ListObjectVersionsCommand({ Bucket: versioned.name });
    const { Versions = [], DeleteMarkers = [] } = await versioned.client.send(list);
    await versioned.close();
    expect([...Versions, ...DeleteMarkers]).toEqual([]);
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
