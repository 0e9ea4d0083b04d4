import { PutBucketNotificationConfigurationCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Reservation } from '#src/http/schemas.ts';
import { uploadKey } from '#src/domain/keys.ts';
import { fileId } from '#src/domain/ids.ts';
import { distinctPhoto } from '#test/support/app.ts';
import { createTestQueue, objectCreated, type TestQueue } from '#test/support/aws.ts';
import { postForm } from '#test/support/direct-form.ts';
import { createTestBucket, localStackServer, type TestBucket } from '#test/support/s3-server.ts';
import { type RunningService, startService } from '#test/support/service.ts';
import { type Client, clientOf } from './client.ts';

const server = localStackServer();

describe.skipIf(server === null)(
  'an upload that the bucket tells of (skipped without TEST_AWS_ENDPOINT)',
  () => {
    let bucket: TestBucket;
    let queue: TestQueue;
    let service: RunningService;
    let client: Client;
    let token: string;
    beforeAll(async () => {
      if (server === null) return;
      [bucket, queue] = [await createTestBucket(server), await createTestQueue()];
      service = await startService({ env: { ...bucket.settings, EVENTS_QUEUE_URL: queue.url } });
      client = clientOf(service.url);
      token = await client.token('seller-1');
    });
    afterAll(async () => {
      expect(await service?.stop(), service?.output()).toBe(0);
      await queue?.remove();
      await bucket?.close();
    });

    async function reserve(change: { sha256?: string } = {}) {
      const itemId = await client.listing(token);
      const { body } = await distinctPhoto();
      const request = {
        kind: 'item_photo',
        itemId,
        filename: 'a.jpg',
        type: 'image/jpeg',
        bytes: body.length,
      };
      const reply = await client.call('POST', '/v1/uploads', { token, json: { ...request, ...change } });
      return { ...reply.as(Reservation), body };
    }
    const completed = (id: string) => client.call('POST', `/v1/uploads/${id}/complete`, { token });

    test('in the shape of EventBridge becomes a photo although its client never said that it was there', async () => {
      const { id, direct, body } = await reserve();
      await postForm(direct, body);
      await queue.send(objectCreated(bucket.name, uploadKey(fileId(id))));
      await client.untilState(id, token, 'ready');
      await expect.poll(() => queue.count(), { timeout: 10_000 }).toBe(0);
    });

    test('in the shape of S3 itself, by a notification of a real bucket, becomes a photo', async () => {
      await bucket.client.send(
        new PutBucketNotificationConfigurationCommand({
          Bucket: bucket.name,
          NotificationConfiguration: {
            QueueConfigurations: [
              {
                QueueArn: queue.arn,
                Events: ['s3:ObjectCreated:*'],
                Filter: { Key: { FilterRules: [{ Name: 'prefix', Value: 'temp/uploads/' }] } },
              },
            ],
          },
        }),
      );
      const { id, direct, body } = await reserve();
      await postForm(direct, body);
      await client.untilState(id, token, 'ready');
      // The client comes late, and hears the same.
      expect((await completed(id)).status).toBe(201);
      // The test message of the bucket, and what it told of our own copies, went too.
      await expect.poll(() => queue.count(), { timeout: 10_000 }).toBe(0);
    });

    test('that is not what was announced is refused, and its client is told why', async () => {
      const { id, direct, body } = await reserve({ sha256: 'd'.repeat(64) });
      await postForm(direct, body);
      await expect
        .poll(async () => (await client.call('GET', `/v1/photos/${id}`, { token })).status, {
          timeout: 20_000,
        })
        .toBe(404);
      const told = await completed(id);
      expect([told.status, JSON.parse(told.body.toString()).code]).toEqual([422, 'UPLOAD_MISMATCH']);
    });

    test('that is none of ours, or cannot be read, keeps nobody waiting', async () => {
      await queue.send('hello');
      await queue.send(objectCreated(bucket.name, 'temp/uploads/not-an-id'));
      await queue.send(objectCreated(bucket.name, `temp/uploads/${crypto.randomUUID()}`));
      await queue.send(objectCreated('another-bucket', 'temp/uploads/x'));
      const { id, direct, body } = await reserve();
      await postForm(direct, body);
      await client.untilState(id, token, 'ready');
      await expect.poll(() => queue.count(), { timeout: 10_000 }).toBe(1);
    });
  },
);

describe.skipIf(server === null)('a service without its queue (skipped without TEST_AWS_ENDPOINT)', () => {
  test('says so at the start, by the name of the setting', async () => {
    if (server === null) return;
    const bucket = await createTestBucket(server);
    try {
      const queue = `${server.endpoint}/000000000000/nobody-made-this`;
      await expect(startService({ env: { ...bucket.settings, EVENTS_QUEUE_URL: queue } })).rejects.toThrow(
        'EVENTS_QUEUE_URL',
      );
    } finally {
      await bucket.close();
    }
  });
});
