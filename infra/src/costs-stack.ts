import { Stack, type StackProps } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { CfnAnomalyMonitor, CfnAnomalySubscription } from 'aws-cdk-lib/aws-ce';
import type { Construct } from 'constructs';
import { alarmTopic } from './alarms/topic.ts';
import type { Settings } from './settings.ts';

/** Every resource carries it; its values are what costs are told apart by, once it is activated for cost allocation. */
export const COST_TAG = 'project';

/** An anomaly is told when it costs at least so much of the monthly budget. */
const ANOMALY_SHARE = 0.05;

/**
 * A monthly budget, and anomaly detection by Cost Explorer, of what carries our tag. The monitor is a custom one: an account
 * may have a single monitor by service, and new accounts begin with it (AWS Cost Management User Guide, "Getting started
 * with AWS Cost Anomaly Detection" and its quotas, 2025).
 */
export class CostsStack extends Stack {
  constructor(scope: Construct, id: string, settings: Settings, props: StackProps) {
    super(scope, id, props);
    const { name, monthlyBudgetUsd } = settings;
    const topic = alarmTopic(this, settings, ['budgets.amazonaws.com', 'costalerts.amazonaws.com']);
    const subscribers = [{ subscriptionType: 'SNS', address: topic.topicArn }];
    const notify = (notificationType: string, threshold: number) => ({
      notification: {
        notificationType,
        comparisonOperator: 'GREATER_THAN',
        threshold,
        thresholdType: 'PERCENTAGE',
      },
      subscribers,
    });
    const budget = new CfnBudget(this, 'Budget', {
      budget: {
        budgetName: name,
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: monthlyBudgetUsd, unit: 'USD' },
        costFilters: { TagKeyValue: [`user:${COST_TAG}$${name}`] },
      },
      notificationsWithSubscribers: [notify('ACTUAL', 80), notify('ACTUAL', 100), notify('FORECASTED', 100)],
    });
    const monitor = new CfnAnomalyMonitor(this, 'Anomalies', {
      monitorName: name,
      monitorType: 'CUSTOM',
      monitorSpecification: JSON.stringify({
        Tags: { Key: COST_TAG, Values: [name], MatchOptions: ['EQUALS'] },
      }),
    });
    const subscription = new CfnAnomalySubscription(this, 'AnomaliesTold', {
      subscriptionName: name,
      frequency: 'IMMEDIATE',
      monitorArnList: [monitor.attrMonitorArn],
      subscribers: [{ type: 'SNS', address: topic.topicArn }],
      thresholdExpression: JSON.stringify({
        Dimensions: {
          Key: 'ANOMALY_TOTAL_IMPACT_ABSOLUTE',
          MatchOptions: ['GREATER_THAN_OR_EQUAL'],
          Values: [String(Math.max(1, Math.round(monthlyBudgetUsd * ANOMALY_SHARE)))],
        },
      }),
    });
    // Both look whether they may write to the topic when they are made.
    for (const resource of [budget, subscription]) resource.node.addDependency(topic);
  }
}
