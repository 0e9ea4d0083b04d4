import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import type { Settings } from '../settings.ts';

/**
 * Where alarms of a region go, and from there to the operators. A topic with a policy of its own has lost the default one,
 * so each service that speaks here is named.
 *
 * @param services that publish besides CloudWatch, such as `budgets.amazonaws.com`
 */
export function alarmTopic(
  scope: Construct,
  { account, alarmEmail }: Settings,
  services: readonly string[] = [],
): Topic {
  const topic = new Topic(scope, 'Alarms', { enforceSSL: true });
  for (const service of ['cloudwatch.amazonaws.com', ...services])
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: `Publish${service.replace(/\W.*/, '')}`,
        principals: [new ServicePrincipal(service)],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    );
  if (alarmEmail !== undefined) topic.addSubscription(new EmailSubscription(alarmEmail));
  return topic;
}
