import {
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { isTemporaryKey } from '#src/domain/keys.ts';
import { Run } from '#src/http/routes/runs.ts';
import { Photo } from '#src/http/schemas.ts';
import { type Client, clientOf } from '#test/acceptance/client.ts';
import { distinctPhoto } from '#test/support/app.ts';
import { type FaultProxy, SLOW_DOWN, startFaultProxy } from '#test/support/fault-proxy.ts';
import { cephServer, createTestBucket, type TestBucket } from '#test/support/s3-server.ts';
import { type RunningService, startService } from '#test/support/service.ts';

const ceph = cephServer();
const WAIT_MS = 90_000;
const OBJECTS_OF_A_PHOTO = 7;
const RunPage = z.object({ run: Run, actions: z.array(z.object({ subject: z.string() }).loose()) });

describe.skipIf(ceph === null)('a bucket in trouble (Ceph behind a fault proxy; skipped: no server)', () => {
  let bucket: TestBucket;
  let proxy: FaultProxy;
  let service: RunningService;
  let client: Client;
  let token: string;
  let item: string;

  async function start(more: Readonly<Record<string, string>> = {}): Promise<void> {
    const env = { ...bucket.settings, S3_ENDPOINT: proxy.url, LOG_LEVEL: 'warn', ...more };
    service = await startService({ env });
    client = clientOf(service.url);
    token = await client.token('seller-1', 'seller');
    item = await client.listing(token);
  }
  beforeEach(async () => {
    if (ceph === null) return;
    bucket = await createTestBucket(ceph);
    proxy = await startFaultProxy(bucket.server.endpoint);
  });
  afterEach(async () => {
    proxy.inject(() => null);
    await service.stop();
    await proxy.close();
    await bucket.close();
  });

  async function upload(prefer = 'respond-async') {
    const { body, filename } = await distinctPhoto();
    const file = { name: filename, type: 'image/jpeg', bytes: body };
    return client.upload(`/v1/items/${item}/photos`, file, { token, headers: { prefer } });
  }

  async function ready(id: string) {
    await expect
      .poll(async () => (await client.call('GET', `/v1/photos/${id}`, { token })).as(Photo).state, {
        timeout: WAIT_MS,
        interval: 100,
      })
      .toBe('ready');
    return (await client.call('GET', `/v1/photos/${id}`, { token })).as(Photo);
  }

  async function keys(): Promise<string[]> {
    const { Contents = [] } = await bucket.client.send(new ListObjectsV2Command({ Bucket: bucket.name }));
    return Contents.map(({ Key = '' }) => Key);
  }

  /** Each photo has its objects, and nothing else is there, not half of an upload either. */
  async function expectOnlyPhotos(count: number): Promise<void> {
    await expect
      .poll(async () => (await keys()).length, { timeout: WAIT_MS })
      .toBe(count * OBJECTS_OF_A_PHOTO);
    expect((await keys()).filter((key) => !key.startsWith('items/'))).toEqual([]);
    const { Uploads = [] } = await bucket.client.send(
      new ListMultipartUploadsCommand({ Bucket: bucket.name }),
    );
    expect(Uploads).toEqual([]);
  }

  test('one request in five is reset: ten uploads at once end well', async () => {
    await start();
    proxy.inject(({ number }) => (number % 5 === 0 ? { kind: 'reset' } : null));
    const replies = await Promise.all(Array.from({ length: 10 }, () => upload()));
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 202));
    for (const reply of replies) await ready(reply.as(Photo).id);
    await expectOnlyPhotos(10);
  });

  test('one answer in five is lost or cut: five uploads at once end well', async () => {
    await start();
    proxy.inject(({ number }) =>
      number % 5 !== 0 ? null : number % 2 === 0 ? { kind: 'answer lost' } : { kind: 'cut', afterBytes: 200 },
    );
    const replies = await Promise.all(Array.from({ length: 5 }, () => upload()));
    for (const reply of replies) await ready(reply.as(Photo).id);
    await expectOnlyPhotos(5);
  });

  test('503 SlowDown for half a minute: what was sent meanwhile ends well, with few requests', async () => {
    await start();
    const before = proxy.seen.length;
    const until = Date.now() + 30_000;
    let refused = 0;
    proxy.inject(() => {
      if (Date.now() > until) return null;
      refused += 1;
      return SLOW_DOWN;
    });
    const replies = await Promise.all(Array.from({ length: 5 }, () => upload()));
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 202));
    for (const reply of replies) await ready(reply.as(Photo).id);
    expect(refused).toBeGreaterThan(5);
    // Five uploads that wait up to five seconds between their tries; the rest is what follows once the bucket takes them.
    expect(refused).toBeLessThan(150);
    expect(proxy.seen.length).toBeGreaterThan(before);
    await expectOnlyPhotos(5);
  });

  test('503 SlowDown for half a minute and one reset in five then: a scrub waits, takes nothing for lost, and mends what is', async () => {
    await start();
    for (const reply of await Promise.all([upload(), upload(), upload()])) await ready(reply.as(Photo).id);
    const [edited = '', removed = ''] = (await keys()).filter((key) =>
      /^items\/(medium|large)\/.*webp$/.test(key),
    );
    const at = { Bucket: bucket.name };
    await bucket.client.send(
      new PutObjectCommand({ ...at, Key: edited, Body: 'other bytes', ContentType: 'image/webp' }),
    );
    await bucket.client.send(new DeleteObjectCommand({ ...at, Key: removed }));

    const until = Date.now() + 30_000;
    let refused = 0;
    proxy.inject(({ number }) => {
      if (Date.now() > until) return number % 5 === 0 ? { kind: 'reset' } : null;
      refused += 1;
      return SLOW_DOWN;
    });
    const admin = await client.token('admin-1', 'admin');
    const asked = await client.call('POST', '/v1/admin/scrub', { token: admin, json: { deep: true } });
    const run = async () => {
      const path = `/v1/admin/runs/${asked.as(Run).id}?limit=100`;
      return (await client.call('GET', path, { token: admin })).as(RunPage);
    };
    await expect
      .poll(async () => (await run()).run.finishedAt, { timeout: WAIT_MS, interval: 100 })
      .not.toBeNull();
    const over = await run();
    expect(over.run).toMatchObject({
      state: 'succeeded',
      result: {
        checked: 21,
        read: 19,
        damaged: 1,
        missing: 1,
        rebuilt: 2,
        lost: 0,
        unreadable: 0,
        failed: 0,
      },
    });
    expect(over.actions.map(({ subject }) => subject).toSorted()).toEqual(
      [edited, edited, removed, removed].toSorted(),
    );
    expect(refused).toBeGreaterThan(5);
    // Eight at once, each with a few tries in the eight seconds for which a read is patient, and waits between the runs.
    expect(refused).toBeLessThan(400);
    await expectOnlyPhotos(3);
  });

  test('a prefix that is denied for a while holds photos back, and loses none', async () => {
    await start({ QUEUE_BACKOFF_BASE_MS: '100', QUEUE_BACKOFF_MAX_MS: '500' });
    const Resource = `arn:aws:s3:::${bucket.name}/items/*`;
    const denial = { Effect: 'Deny', Principal: '*', Action: ['s3:PutObject'], Resource: [Resource] };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [denial] });
    await bucket.client.send(new PutBucketPolicyCommand({ Bucket: bucket.name, Policy }));
    const { id } = (await upload()).as(Photo);
    await expect
      .poll(
        () => proxy.seen.filter(({ method, url }) => method === 'PUT' && url.includes('/items/')).length,
        {
          timeout: WAIT_MS,
        },
      )
      .toBeGreaterThan(0);
    const held = (await client.call('GET', `/v1/photos/${id}`, { token })).as(Photo);
    expect(['received', 'checking']).toContain(held.state);
    await bucket.client.send(new DeleteBucketPolicyCommand({ Bucket: bucket.name }));
    await ready(id);
    await expectOnlyPhotos(1);
  });

  test('a bucket that does not answer is told by /readyz, not by a crash', async () => {
    await start();
    proxy.inject(() => ({ kind: 'reset' }));
    await expect
      .poll(async () => (await client.call('GET', '/readyz')).status, { timeout: 20_000 })
      .toBe(503);
    proxy.inject(() => null);
    await expect
      .poll(async () => (await client.call('GET', '/readyz')).status, { timeout: 20_000 })
      .toBe(200);
  });

  test('photos are shown from the replica while the primary is down, but none that was deleted', async () => {
    const replica = await createTestBucket(bucket.server);
    try {
      await start({
        S3_REPLICA_BUCKET: replica.name,
        S3_REPLICA_REGION: 'eu-west-1',
        S3_REPLICA_ENDPOINT: bucket.server.endpoint,
        EDGE_CACHE_SIZE: '0',
      });
      const [shown, removed] = [(await upload()).as(Photo).id, (await upload()).as(Photo).id];
      const urlOf = async (id: string) => (await ready(id)).variants.original?.formats.jpeg?.url ?? '';
      const [url, gone] = [await urlOf(shown), await urlOf(removed)];
      const before = await client.call('GET', url);
      await replicate(bucket, replica);

      proxy.inject(() => ({ kind: 'reset' }));
      const after = await client.call('GET', url);
      expect(after.status).toBe(200);
      expect(after.body.equals(before.body)).toBe(true);
      expect((await client.call('GET', gone)).status).toBe(200);
      expect((await client.call('DELETE', `/v1/photos/${removed}`, { token })).status).toBe(204);
      await expect.poll(async () => (await client.call('GET', gone)).status, { timeout: 20_000 }).toBe(404);
      const asked = performance.now();
      expect((await client.call('GET', url)).status).toBe(200);
      expect(performance.now() - asked).toBeLessThan(1_500);

      proxy.inject(() => null);
      await expect
        .poll(
          async () => [...(await keysOf(replica)), ...(await keys())].filter((key) => key.includes(removed)),
          {
            timeout: WAIT_MS,
          },
        )
        .toEqual([]);
      expect((await client.call('GET', url)).status).toBe(200);
    } finally {
      await replica.close();
    }
  });
});

/** What S3 does by itself between two regions, for the prefixes that are replicated. */
async function replicate(from: TestBucket, to: TestBucket): Promise<void> {
  const replicated = (await keysOf(from)).filter((key) => !isTemporaryKey(key));
  for (const Key of replicated) {
    const { Body, ContentType = '' } = await from.client.send(
      new GetObjectCommand({ Bucket: from.name, Key }),
    );
    const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
    await to.client.send(new PutObjectCommand({ Bucket: to.name, Key, Body: bytes, ContentType }));
  }
}

async function keysOf({ client, name }: TestBucket): Promise<string[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: name }));
  return Contents.map(({ Key = '' }) => Key);
}
