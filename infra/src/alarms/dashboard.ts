import { Duration } from 'aws-cdk-lib';
import { Dashboard, GraphWidget, type IMetric, Metric, Stats, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { namesOf } from '../names.ts';
import type { Settings } from '../settings.ts';
import { arrivalMetrics } from './arrivals.ts';
import { bucketMetrics } from './bucket.ts';
import { edgeMetrics } from './edge.ts';
import { replicationFailures, replicationLatency } from './replication.ts';

const COLUMNS = 24;
/** As S3 names classes in its daily figures (S3 User Guide, "Amazon S3 metrics and dimensions", 2025). */
const CLASSES = [
  'StandardStorage',
  'StandardIAStorage',
  'IntelligentTieringFAStorage',
  'IntelligentTieringIAStorage',
  'IntelligentTieringAIAStorage',
  'GlacierStorage',
];

/** One page for the operator: what viewers see, what the bucket does, what waits. From left to right: first look first. */
export function dashboard(scope: Construct, settings: Settings, distributionId: string): void {
  const names = namesOf(settings);
  const edge = edgeMetrics(distributionId);
  const bucket = bucketMetrics(names.bucket);
  const arrivals = arrivalMetrics(names);
  const page = new Dashboard(scope, 'Dashboard', {
    dashboardName: settings.name,
    defaultInterval: Duration.days(1),
  });
  page.addWidgets(
    new TextWidget({
      markdown: `# ${settings.name}\nBucket \`${names.bucket}\`, replica \`${names.replicaBucket}\``,
      width: COLUMNS,
      height: 2,
    }),
  );
  page.addWidgets(
    graph('Viewers: errors %', [edge.clientErrors, edge.serverErrors]),
    graph('Viewers: cache hits %', [edge.hitRate]),
    graph('Viewers: requests and bytes', [edge.requests], [edge.bytes]),
  );
  page.addWidgets(
    graph('Bucket: errors', [bucket.clientErrors, bucket.serverErrors]),
    graph('Bucket: latency', [bucket.firstByte], [edge.originLatency]),
    graph('Bucket: requests and bytes', [bucket.requests], [bucket.uploaded, bucket.downloaded]),
  );
  page.addWidgets(
    graph('Arrivals: seconds the oldest waits', [arrivals.oldest]),
    graph('Arrivals: given up', [arrivals.givenUp]),
    graph(
      'Replica: seconds behind, failures',
      [replicationLatency(names, settings.replicaRegion)],
      [replicationFailures(names)],
    ),
  );
  page.addWidgets(graph('Bytes by storage class', sizes(names.bucket), [], COLUMNS));
}

function graph(title: string, left: IMetric[], right: IMetric[] = [], width = COLUMNS / 3): GraphWidget {
  return new GraphWidget({ title, left, right, width });
}

function sizes(BucketName: string): Metric[] {
  return CLASSES.map(
    (StorageType) =>
      new Metric({
        namespace: 'AWS/S3',
        metricName: 'BucketSizeBytes',
        dimensionsMap: { BucketName, StorageType },
        statistic: Stats.AVERAGE,
        period: Duration.days(1),
        label: StorageType,
      }),
  );
}
