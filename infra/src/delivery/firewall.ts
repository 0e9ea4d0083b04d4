import { CfnWebACL } from 'aws-cdk-lib/aws-wafv2';
import type { Construct } from 'constructs';

/** Requests of one address in five minutes; a gallery of 24 photos in four sizes is about a hundred. */
const REQUESTS_IN_FIVE_MINUTES = 10_000;

/** AWS's lists of bad addresses and bad input, and a bound for one address. Counts and samples are in CloudWatch. */
export function firewall(scope: Construct, name: string): CfnWebACL {
  const visible = (metricName: string) => ({
    metricName,
    cloudWatchMetricsEnabled: true,
    sampledRequestsEnabled: true,
  });
  const managed = (rule: string, priority: number): CfnWebACL.RuleProperty => ({
    name: rule,
    priority,
    overrideAction: { none: {} },
    statement: { managedRuleGroupStatement: { vendorName: 'AWS', name: rule } },
    visibilityConfig: visible(rule),
  });
  return new CfnWebACL(scope, 'Firewall', {
    name,
    scope: 'CLOUDFRONT',
    defaultAction: { allow: {} },
    visibilityConfig: visible(name),
    rules: [
      managed('AWSManagedRulesAmazonIpReputationList', 0),
      managed('AWSManagedRulesKnownBadInputsRuleSet', 1),
      {
        name: 'flood',
        priority: 2,
        action: { block: {} },
        statement: { rateBasedStatement: { limit: REQUESTS_IN_FIVE_MINUTES, aggregateKeyType: 'IP' } },
        visibilityConfig: visible('flood'),
      },
    ],
  });
}
