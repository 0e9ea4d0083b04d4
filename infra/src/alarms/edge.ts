import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { EDGE_REGION } from '../names.ts';
import { alarm, PERIOD } from './alarm.ts';

export interface Edge {
  readonly distributionId: string;
  /** Names of the functions that run there. */
  readonly functions: readonly string[];
}

/** Figures of a distribution; CloudFront publishes them in us-east-1 only. */
export function edgeMetrics(distributionId: string) {
  const metric = (metricName: string, statistic: string, label: string) =>
    new Metric({
      namespace: 'AWS/CloudFront',
      metricName,
      dimensionsMap: { DistributionId: distributionId, Region: 'Global' },
      region: EDGE_REGION,
      statistic,
      period: PERIOD,
      label,
    });
  return {
    requests: metric('Requests', Stats.SUM, 'requests'),
    bytes: metric('BytesDownloaded', Stats.SUM, 'bytes to viewers'),
    hitRate: metric('CacheHitRate', Stats.AVERAGE, 'cache hits %'),
    clientErrors: metric('4xxErrorRate', Stats.AVERAGE, '4xx %'),
    serverErrors: metric('5xxErrorRate', Stats.AVERAGE, '5xx %'),
    originLatency: metric('OriginLatency', Stats.p(95), 'origin latency p95 ms'),
  };
}

/** Times that a function of CloudFront threw; the viewer got an error page then. */
function functionErrors(functionName: string): Metric {
  return new Metric({
    namespace: 'AWS/CloudFront',
    metricName: 'FunctionExecutionErrors',
    dimensionsMap: { FunctionName: functionName, Region: 'Global' },
    region: EDGE_REGION,
    statistic: Stats.SUM,
    period: PERIOD,
  });
}

export function watchEdge(scope: Construct, topic: ITopic, { distributionId, functions }: Edge): void {
  alarm(scope, 'EdgeAnswers5xx', topic, {
    metric: edgeMetrics(distributionId).serverErrors,
    above: 1,
    periods: 3,
    says: 'More than 1 % of what viewers ask for fails with 5xx: can CloudFront read the bucket?',
  });
  alarm(scope, 'EdgeFunctionsFail', topic, {
    metric: sumOf(functions.map(functionErrors)),
    above: 0,
    says: 'A function of CloudFront threw: viewers of the paths it stands before see an error.',
  });
}

function sumOf(metrics: readonly Metric[]): MathExpression {
  const usingMetrics = Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric]));
  const expression = Object.keys(usingMetrics).join(' + ');
  return new MathExpression({ expression, usingMetrics, label: 'function errors', period: PERIOD });
}
