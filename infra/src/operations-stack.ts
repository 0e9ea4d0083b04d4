import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { watchBucket } from './alarms/bucket.ts';
import { dashboard } from './alarms/dashboard.ts';
import { watchArrivals } from './alarms/arrivals.ts';
import { watchReplicationFailures } from './alarms/replication.ts';
import { alarmTopic } from './alarms/topic.ts';
import { namesOf } from './names.ts';
import { distributionOf } from './environment.ts';
import type { Settings } from './settings.ts';

/** What wakes the operator in the bucket's region, and the page to look at then. */
export class OperationsStack extends Stack {
  constructor(scope: Construct, id: string, settings: Settings, props: StackProps) {
    super(scope, id, props);
    const names = namesOf(settings);
    const topic = alarmTopic(this, settings);
    watchArrivals(this, topic, names);
    watchBucket(this, topic, names.bucket);
    watchReplicationFailures(this, topic, names);
    dashboard(this, settings, distributionOf(settings));
  }
}
