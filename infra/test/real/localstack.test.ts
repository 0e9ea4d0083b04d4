import { randomBytes } from 'node:crypto';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DescribeKeyCommand, GetKeyRotationStatusCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  CreateBucketCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { bucketLifecycle } from '../../../src/domain/bucket-lifecycle.ts';
import { flat } from '../support/flat.ts';
import { oneOf } from '../support/resources.ts';
import { synthesise } from '../support/synthesise.ts';
import { BUCKET_SETTINGS } from './bucket-settings.ts';
import { createStack, without } from './stack.ts';

const endpoint = process.env['TEST_AWS_ENDPOINT'];

/** LocalStack takes the account from the access key. Names are of this run: others may use the same server. */
const synthesised = synthesise({ name: `lx-${randomBytes(4).toString('hex')}` });
const { names, templates } = synthesised;
const clientOptions = (region: string) => ({
  region,
  ...(endpoint !== undefined && { endpoint }),
  credentials: { accessKeyId: '111122223333', secretAccessKey: 'test' },
});
const here = clientOptions('eu-central-1');
const s3 = new S3Client({ ...here, forcePathStyle: true });
const sqs = new SQSClient(here);
const kms = new KMSClient(here);

describe.skipIf(!endpoint)('in an account of LocalStack (TEST_AWS_ENDPOINT)', () => {
  let outputs: ReadonlyMap<string, string>;
  beforeAll(async () => {
    const stackOf = (name: string) => templates[name] ?? { Resources: {}, Outputs: {} };
    const there = new CloudFormationClient(clientOptions('eu-west-1'));
    await createStack(there, names.stacks.replica, stackOf(names.stacks.replica));
    const cloudformation = new CloudFormationClient(here);
    outputs = await createStack(
      cloudformation,
      names.stacks.storage,
      without(stackOf(names.stacks.storage), 'CloudFront'),
    );
    for (const client of [there, cloudformation]) client.destroy();
  });
  afterAll(() => {
    for (const client of [s3, sqs, kms]) client.destroy();
  });

  test('CloudFormation makes all of the storage stack that it knows, and tells the environment', () => {
    expect(Object.fromEntries(outputs)).toMatchObject({
      S3Bucket: names.bucket,
      S3ReplicaBucket: names.replicaBucket,
      EventsQueueUrl: expect.stringMatching(new RegExp(`^http.*/111122223333/${names.arrivals}$`)),
      KmsKeyId: names.documentsAlias,
    });
  });

  test('an object under temp/uploads/ becomes a message, with key and ETag; another object does not', async () => {
    const put = (Key: string, Body: string) =>
      s3.send(new PutObjectCommand({ Bucket: names.bucket, Key, Body }));
    await put('items/large/bike/x.jpg', 'x');
    await put('temp/other', 'x');
    await put('temp/uploads/one', 'x');
    await put('temp/uploads/two', 'xx');
    const told = new Map<string, unknown>();
    const read = async () => {
      for (const event of await receive(outputs.get('EventsQueueUrl') ?? ''))
        told.set(event.detail.object.key, event);
      return [...told.keys()].toSorted();
    };
    // Messages come in any order.
    await expect.poll(read, { timeout: 20_000 }).toEqual(['temp/uploads/one', 'temp/uploads/two']);
    expect(await read()).toEqual(['temp/uploads/one', 'temp/uploads/two']);
    expect(told.get('temp/uploads/two')).toMatchObject({
      source: 'aws.s3',
      'detail-type': 'Object Created',
      detail: {
        bucket: { name: names.bucket },
        object: { size: 2, etag: expect.stringMatching(/^"?[\da-f]{32}"?$/) },
      },
    });
  });

  test('the wrapping key of documents is there, and is rotated', async () => {
    const KeyId = outputs.get('KmsKeyId') ?? '';
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }));
    expect(KeyMetadata).toMatchObject({ Enabled: true, KeyUsage: 'ENCRYPT_DECRYPT' });
    expect(await kms.send(new GetKeyRotationStatusCommand({ KeyId }))).toMatchObject({
      KeyRotationEnabled: true,
    });
  });

  test('the bucket has its policy, and tells EventBridge', async () => {
    const { Policy = '' } = await s3.send(new GetBucketPolicyCommand({ Bucket: names.bucket }));
    expect(JSON.parse(Policy)).toMatchObject({
      Statement: expect.arrayContaining([expect.objectContaining({ Sid: 'AllowCloudFrontToRead' })]),
    });
    const told = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket: names.bucket }));
    expect(told.EventBridgeConfiguration).toEqual({});
  });

  // Its CloudFormation passes over some properties of a bucket; its S3 knows them all.
  describe('a bucket with the synthesised settings', () => {
    const Bucket = `${names.bucket.slice(0, 40)}-settings`;
    const { stack, properties } = oneOf(synthesised, 'AWS::S3::Bucket', { BucketName: names.bucket });
    const worked = z.record(z.string(), z.unknown()).parse(flat(withRole(properties), synthesised, stack));
    beforeAll(async () => {
      await s3.send(
        new CreateBucketCommand({
          Bucket,
          CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
        }),
      );
    });

    test.each(BUCKET_SETTINGS)('takes $name, and answers with the same', async ({ put, get, of }) => {
      await put(s3, Bucket, worked);
      expect(await get(s3, Bucket)).toEqual(of(worked));
    });

    test('has the lifecycle that the service derives from its retention rules', async () => {
      const lifecycle = BUCKET_SETTINGS.find(({ name }) => name === 'lifecycle');
      expect(lifecycle?.of(worked)).toEqual(bucketLifecycle().Rules);
    });
  });
});

/** The role of replication by its ARN, which CloudFormation would put there. */
function withRole(properties: Readonly<Record<string, unknown>>) {
  const { ReplicationConfiguration: replication } = properties;
  const Role = `arn:aws:iam::111122223333:role/${names.replicationRole}`;
  return {
    ...properties,
    ReplicationConfiguration: { ...z.looseObject({}).parse(replication), Role },
  };
}

const EVENT = z.looseObject({
  detail: z.looseObject({ object: z.looseObject({ key: z.string() }) }),
});

async function receive(QueueUrl: string) {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 2 }),
  );
  for (const { ReceiptHandle } of Messages)
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  return Messages.map(({ Body = '' }) => EVENT.parse(JSON.parse(Body)));
}
