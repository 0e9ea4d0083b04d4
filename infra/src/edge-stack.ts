import { Stack, type StackProps } from 'aws-cdk-lib';
import { CfnMonitoringSubscription } from 'aws-cdk-lib/aws-cloudfront';
import type { Construct } from 'constructs';
import { watchEdge } from './alarms/edge.ts';
import { alarmTopic } from './alarms/topic.ts';
import { logsBucket } from './buckets/private-bucket.ts';
import { deliverAccessLogs } from './delivery/access-logs.ts';
import { distributionOf } from './environment.ts';
import { namesOf } from './names.ts';
import type { Settings } from './settings.ts';

/** What AWS keeps in us-east-1 for a distribution, wherever that was made: its access logs, its figures and their alarms. */
export class EdgeStack extends Stack {
  constructor(scope: Construct, id: string, settings: Settings, props: StackProps) {
    super(scope, id, props);
    const { name, account } = settings;
    const distributionId = distributionOf(settings);
    const distributionArn = `arn:aws:cloudfront::${account}:distribution/${distributionId}`;
    const { edgeLogsBucket, acceptFunction, refuseFunction } = namesOf(settings);
    const bucket = logsBucket(this, edgeLogsBucket);
    deliverAccessLogs(this, { name, account, distributionArn, bucket });
    measure(this, distributionId);
    watchEdge(this, alarmTopic(this, settings), {
      distributionId,
      functions: [acceptFunction, refuseFunction],
    });
  }
}

/** Hit rate and origin latency are figures that CloudFront publishes only when asked (and paid) for. */
function measure(scope: Construct, distributionId: string): void {
  new CfnMonitoringSubscription(scope, 'Figures', {
    distributionId,
    monitoringSubscription: {
      realtimeMetricsSubscriptionConfig: { realtimeMetricsSubscriptionStatus: 'Enabled' },
    },
  });
}
