import { Duration } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

export const PERIOD = Duration.minutes(5);

export interface Threshold {
  readonly metric: IMetric;
  /** The alarm rings above it. */
  readonly above: number;
  /** How many of the last five-minute periods, all of them; 1 when not given. */
  readonly periods?: number;
  /** What silence of the metric means: by default that all is well; `unchanged` keeps the alarm as it is. */
  readonly silence?: 'fine' | 'unchanged';
  /** What it means and where to look, for whoever is woken by it. */
  readonly says: string;
}

/** An alarm that rings in the topic, and tells there when it is over. */
export function alarm(scope: Construct, id: string, topic: ITopic, threshold: Threshold): Alarm {
  const made = new Alarm(scope, id, {
    alarmDescription: threshold.says,
    metric: threshold.metric,
    threshold: threshold.above,
    comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
    evaluationPeriods: threshold.periods ?? 1,
    treatMissingData:
      threshold.silence === 'unchanged' ? TreatMissingData.IGNORE : TreatMissingData.NOT_BREACHING,
  });
  made.addAlarmAction(new SnsAction(topic));
  made.addOkAction(new SnsAction(topic));
  return made;
}
