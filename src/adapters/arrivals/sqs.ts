import { setTimeout as sleep } from 'node:timers/promises';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { StorageError } from '../../domain/errors.ts';
import type { Arrivals } from '../../ports/arrivals.ts';
import type { Log } from '../../ports/log.ts';
import { readMessage } from './messages.ts';

/** The longest that SQS keeps an empty request waiting, and the most messages of one answer (SQS API, ReceiveMessage). */
const LONG_POLL_SECONDS = 20;
const MAX_MESSAGES = 10;
const VISIBLE_AGAIN_SECONDS = 60;
/** Share of that time after which it is extended. */
const EXTEND_AT = 0.4;
/** Requests that wait at one time: a batch that takes long does not keep the next from being taken. */
const POLLERS = 2;
/** After a call that failed, by doubling. */
const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 30_000;

export interface SqsArrivalsOptions {
  readonly queueUrl: string;
  /** Other buckets' events are not for us. */
  readonly bucket: string;
  /** Where the queue's address names none. */
  readonly region: string;
  /** After so long a message whose taker died is told again (60); a taker that is at work extends it in time. */
  readonly visibleAgainSeconds?: number;
  readonly log: Log;
}

/**
 * The bucket's events by a queue of Amazon SQS, asked by long polling. A message is deleted once all it tells of was taken;
 * one that cannot be read, or taken, stays and becomes visible again, until the queue moves it to its dead-letter queue.
 */
export function createSqsArrivals(options: SqsArrivalsOptions): Arrivals {
  const { queueUrl: QueueUrl, bucket, log, visibleAgainSeconds = VISIBLE_AGAIN_SECONDS } = options;
  const client = new SQSClient({
    region: regionOf(QueueUrl) ?? options.region,
    endpoint: new URL(QueueUrl).origin,
  });
  const closing = new AbortController();
  let polling: Promise<unknown> | null = null;

  async function poll(take: (key: string) => Promise<void>): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    while (!closing.signal.aborted) {
      try {
        await Promise.all((await receive()).map((message) => handle(message, take)));
        pauseMs = FIRST_PAUSE_MS;
      } catch (error) {
        if (closing.signal.aborted) return;
        log.warn({ err: error, pauseMs }, 'the queue of arrivals does not answer');
        await sleep(pauseMs, undefined, { signal: closing.signal }).catch(() => undefined);
        pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS);
      }
    }
  }

  async function receive(): Promise<Message[]> {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: MAX_MESSAGES,
        WaitTimeSeconds: LONG_POLL_SECONDS,
        VisibilityTimeout: visibleAgainSeconds,
      }),
      { abortSignal: closing.signal },
    );
    return Messages;
  }

  async function handle(message: Message, take: (key: string) => Promise<void>): Promise<void> {
    const { Body = '', ReceiptHandle, MessageId } = message;
    const reading = readMessage(Body, bucket);
    if (reading === 'unreadable') {
      log.warn({ messageId: MessageId }, 'a message of arrivals cannot be read');
      return;
    }
    const extending = setInterval(
      () => void hideLonger(ReceiptHandle),
      visibleAgainSeconds * EXTEND_AT * 1000,
    );
    try {
      for (const key of reading.keys) await take(key);
      await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    } catch (error) {
      log.warn({ err: error, messageId: MessageId }, 'an arrival could not be taken; it is told again');
    } finally {
      clearInterval(extending);
    }
  }

  async function hideLonger(ReceiptHandle: string | undefined): Promise<void> {
    const change = new ChangeMessageVisibilityCommand({
      QueueUrl,
      ReceiptHandle,
      VisibilityTimeout: visibleAgainSeconds,
    });
    await client.send(change).catch((error: unknown) => {
      log.warn({ err: error }, 'a message of arrivals may be told twice');
    });
  }

  return {
    name: 'sqs',
    async listen(take) {
      await assertThere(client, QueueUrl, log);
      polling = Promise.all(Array.from({ length: POLLERS }, () => poll(take)));
    },
    async close(deadlineMs) {
      closing.abort();
      const late = sleep(deadlineMs, undefined, { ref: false });
      await Promise.race([polling, late]);
      client.destroy();
    },
  };
}

/** Codes that waiting does not mend (SQS API, "Common error types" and GetQueueAttributes, 2025). */
const FOR_GOOD = /NonExistentQueue|QueueDoesNotExist|InvalidAddress|AccessDenied|InvalidClientTokenId/;

/** A queue that only does not answer is asked again later. Errors: INVALID_CONFIGURATION. */
async function assertThere(client: SQSClient, QueueUrl: string, log: Log): Promise<void> {
  try {
    await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (!FOR_GOOD.test(name)) return log.warn({ err: error }, 'the queue of arrivals does not answer yet');
    throw new StorageError(
      'INVALID_CONFIGURATION',
      `EVENTS_QUEUE_URL ${QueueUrl} cannot be used: Amazon SQS answers ${name}.`,
      { cause: error },
    );
  }
}

/** `https://sqs.{region}.amazonaws.com/{account}/{name}` */
function regionOf(queueUrl: string): string | null {
  return /^sqs\.([a-z0-9-]+)\.amazonaws\.com/.exec(new URL(queueUrl).hostname)?.[1] ?? null;
}
