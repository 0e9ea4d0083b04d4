import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { alarm, PERIOD } from './alarm.ts';

/** Of the request metrics of a bucket (S3 API, MetricsConfiguration): all requests. */
export const ALL_REQUESTS = 'all-requests';

export function bucketMetrics(bucketName: string) {
  const metric = (metricName: string, statistic: string, label: string) =>
    new Metric({
      namespace: 'AWS/S3',
      metricName,
      dimensionsMap: { BucketName: bucketName, FilterId: ALL_REQUESTS },
      statistic,
      period: PERIOD,
      label,
    });
  return {
    requests: metric('AllRequests', Stats.SUM, 'requests'),
    serverErrors: metric('5xxErrors', Stats.AVERAGE, '5xx share'),
    clientErrors: metric('4xxErrors', Stats.AVERAGE, '4xx share'),
    firstByte: metric('FirstByteLatency', Stats.p(95), 'first byte p95 ms'),
    uploaded: metric('BytesUploaded', Stats.SUM, 'bytes in'),
    downloaded: metric('BytesDownloaded', Stats.SUM, 'bytes out'),
  };
}

/** Share of answers that are 5xx; the service retries single ones, which S3 gives while it scales. */
const SERVER_ERROR_SHARE = 0.01;

export function watchBucket(scope: Construct, topic: ITopic, bucketName: string): void {
  alarm(scope, 'BucketAnswers5xx', topic, {
    metric: bucketMetrics(bucketName).serverErrors,
    above: SERVER_ERROR_SHARE,
    periods: 3,
    says: 'More than 1 % of the requests to the bucket fail with 5xx: SlowDown when one prefix is too busy, or S3 is ill.',
  });
}
