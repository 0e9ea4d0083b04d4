import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { Names } from '../names.ts';
import { alarm, PERIOD } from './alarm.ts';

/** Seconds a message may wait; a client that finishes its upload itself waits for none. */
const MESSAGE_AGE = 300;

export function watchArrivals(scope: Construct, topic: ITopic, names: Names): void {
  const figures = arrivalMetrics(names);
  alarm(scope, 'ArrivalsWait', topic, {
    metric: figures.oldest,
    above: MESSAGE_AGE,
    says: 'Nobody takes the events of the bucket: is a worker running? Uploads are still found by the sweeper.',
  });
  alarm(scope, 'ArrivalsGivenUp', topic, {
    metric: figures.givenUp,
    above: 0,
    says: 'Events of the bucket were given up. Read them in the dead-letter queue, mend the cause, then redrive.',
  });
  alarm(scope, 'ArrivalsNotDelivered', topic, {
    metric: figures.notDelivered,
    above: 0,
    says: 'EventBridge cannot write to the queue of arrivals: look at the policy of the queue.',
  });
}

export function arrivalMetrics({ arrivals, arrivalsFailed }: Names) {
  const ofQueue = (QueueName: string, metricName: string, label: string) =>
    new Metric({
      namespace: 'AWS/SQS',
      metricName,
      dimensionsMap: { QueueName },
      statistic: Stats.MAXIMUM,
      period: PERIOD,
      label,
    });
  return {
    oldest: ofQueue(arrivals, 'ApproximateAgeOfOldestMessage', 'seconds the oldest waits'),
    givenUp: ofQueue(arrivalsFailed, 'ApproximateNumberOfMessagesVisible', 'given up'),
    notDelivered: new Metric({
      namespace: 'AWS/Events',
      metricName: 'FailedInvocations',
      dimensionsMap: { RuleName: arrivals },
      statistic: Stats.SUM,
      period: PERIOD,
    }),
  };
}
