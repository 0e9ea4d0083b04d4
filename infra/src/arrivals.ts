import { Duration } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { PREFIXES } from '../../src/domain/keys.ts';
import type { Names } from './names.ts';

/** A message that a worker has taken is hidden from the others for so long. */
const HIDDEN = Duration.seconds(60);
/** A message that fails so often is put aside for people. */
const TRIES = 5;

/** The bucket tells EventBridge of every object; those under `temp/uploads/` are queued for the workers. */
export function queueArrivals(scope: Construct, names: Names): Queue {
  const shared = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true };
  const deadLetters = new Queue(scope, 'ArrivalsFailed', {
    ...shared,
    queueName: names.arrivalsFailed,
    retentionPeriod: Duration.days(14),
  });
  const queue = new Queue(scope, 'Arrivals', {
    ...shared,
    queueName: names.arrivals,
    visibilityTimeout: HIDDEN,
    receiveMessageWaitTime: Duration.seconds(20),
    retentionPeriod: Duration.days(4),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: TRIES },
  });
  new Rule(scope, 'ObjectsArrive', {
    ruleName: names.arrivals,
    description: 'Uploads that browsers sent to the bucket themselves',
    eventPattern: {
      source: ['aws.s3'],
      detailType: ['Object Created'],
      detail: { bucket: { name: [names.bucket] }, object: { key: [{ prefix: PREFIXES.uploads }] } },
    },
    targets: [new SqsQueue(queue, { deadLetterQueue: deadLetters })],
  });
  return queue;
}
