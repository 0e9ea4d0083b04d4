import { randomUUID } from 'node:crypto';
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';

/** Where test/services/localstack.sh answers; tests that need it are skipped by name where it is not started. */
export const AWS_ENDPOINT = process.env['TEST_AWS_ENDPOINT'];
/** LocalStack takes any. */
export const AWS_CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };
export const AWS_REGION = 'us-east-1';

export interface TestQueue {
  readonly url: string;
  readonly arn: string;
  send(body: unknown): Promise<void>;
  /** Messages that are there, visible or being worked on. */
  count(): Promise<number>;
  /** Bodies of up to ten messages, which stay. */
  peek(): Promise<string[]>;
  remove(): Promise<void>;
}

/** A queue of its own at LocalStack. */
export async function createTestQueue(attributes: Record<string, string> = {}): Promise<TestQueue> {
  const client = new SQSClient({
    endpoint: AWS_ENDPOINT ?? '',
    region: AWS_REGION,
    credentials: AWS_CREDENTIALS,
  });
  const { QueueUrl = '' } = await client.send(
    new CreateQueueCommand({ QueueName: `test-${randomUUID()}`, Attributes: attributes }),
  );
  const read = async (...names: ('QueueArn' | (typeof COUNTS)[number])[]) => {
    const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: names });
    return (await client.send(command)).Attributes ?? {};
  };
  const { QueueArn = '' } = await read('QueueArn');
  return {
    // What LocalStack answers names a host of its own; its address takes the same path.
    url: `${AWS_ENDPOINT}${new URL(QueueUrl).pathname}`,
    arn: QueueArn,
    async send(body) {
      const MessageBody = typeof body === 'string' ? body : JSON.stringify(body);
      await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    },
    async count() {
      const counts = await read(...COUNTS);
      return COUNTS.reduce((sum, name) => sum + Number(counts[name]), 0);
    },
    async peek() {
      const command = new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 });
      return ((await client.send(command)).Messages ?? []).map(({ Body = '' }) => Body);
    },
    async remove() {
      await client.send(new DeleteQueueCommand({ QueueUrl }));
      client.destroy();
    },
  };
}

const COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

/** "Object Created" as EventBridge delivers it (Amazon S3 User Guide, "EventBridge event message structure", 2025). */
export function objectCreated(bucket: string, key: string): object {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Object Created',
    source: 'aws.s3',
    account: '111122223333',
    time: '2026-01-05T09:30:00Z',
    region: AWS_REGION,
    resources: [`arn:aws:s3:::${bucket}`],
    detail: {
      version: '0',
      bucket: { name: bucket },
      object: { key, size: 5, etag: 'b1946ac92492d2347c6235b4d2611184', sequencer: '617f08299329d189' },
      'request-id': 'N4N7GDK58NMKJ12R',
      requester: '123456789012',
      'source-ip-address': '192.0.2.1',
      reason: 'POST Object',
    },
  };
}
