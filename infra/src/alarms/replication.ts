import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { REPLICATION_MINUTES, replicationRuleIds } from '../buckets/replication.ts';
import type { Names } from '../names.ts';
import { alarm, PERIOD } from './alarm.ts';

/**
 * How far the replica is behind. S3 publishes latency and backlog in the region of the replica and failures in that of the
 * source; silence leaves an alarm as it is (S3 User Guide, "Amazon S3 metrics and dimensions", 2025).
 */
export function watchReplica(scope: Construct, topic: ITopic, names: Names): void {
  alarm(scope, 'ReplicaIsBehind', topic, {
    metric: replicationLatency(names),
    above: REPLICATION_MINUTES * 60,
    silence: 'unchanged',
    says: `The replica is more than ${REPLICATION_MINUTES} minutes behind: reads that fall back to it may miss new objects.`,
  });
}

export function watchReplicationFailures(scope: Construct, topic: ITopic, names: Names): void {
  alarm(scope, 'ReplicationFailed', topic, {
    metric: replicationFailures(names),
    above: 0,
    silence: 'unchanged',
    says: 'Objects were not replicated. Look for ReplicationStatus FAILED in the inventory; then S3 Batch Replication.',
  });
}

/** @param region of the replica, for who looks at it from elsewhere */
export function replicationLatency(names: Names, region?: string): MathExpression {
  return overRules(names, {
    metricName: 'ReplicationLatency',
    statistic: Stats.MAXIMUM,
    over: 'MAX',
    region,
  });
}

export function replicationFailures(names: Names): MathExpression {
  return overRules(names, { metricName: 'OperationsFailedReplication', statistic: Stats.SUM, over: 'SUM' });
}

interface Figure {
  readonly metricName: string;
  readonly statistic: string;
  readonly over: 'MAX' | 'SUM';
  readonly region?: string | undefined;
}

/** Metrics come by rule; an alarm looks at all of them. */
function overRules(names: Names, { metricName, statistic, over, region }: Figure): MathExpression {
  const usingMetrics = Object.fromEntries(
    replicationRuleIds().map((RuleId, index) => [
      // One graph may show several figures: each has names of its own.
      `${metricName.charAt(0).toLowerCase()}${metricName.slice(1)}${index}`,
      new Metric({
        namespace: 'AWS/S3',
        metricName,
        statistic,
        period: PERIOD,
        ...(region !== undefined && { region }),
        dimensionsMap: { SourceBucket: names.bucket, DestinationBucket: names.replicaBucket, RuleId },
      }),
    ]),
  );
  const expression = `${over}([${Object.keys(usingMetrics).join(', ')}])`;
  return new MathExpression({ expression, usingMetrics, label: metricName, period: PERIOD });
}
