import {
  App,
  type AppProps,
  BootstraplessSynthesizer,
  type StackProps,
  Tags,
  Validations,
} from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { COST_TAG, CostsStack } from './costs-stack.ts';
import { EdgeStack } from './edge-stack.ts';
import { FirewallStack } from './firewall-stack.ts';
import { EDGE_REGION, namesOf } from './names.ts';
import { OperationsStack } from './operations-stack.ts';
import { ReplicaStack } from './replica-stack.ts';
import type { Settings } from './settings.ts';
import { StorageStack } from './storage-stack.ts';

/**
 * The whole installation: stacks in up to three regions, since a replica lies elsewhere and CloudFront keeps part of what it
 * needs in us-east-1. Values go from one to another as outputs (Fn::GetStackOutput), so that no stack runs code of its own in
 * the account; and as there are no assets, no account has to be bootstrapped.
 */
export function createApp(settings: Settings, props: AppProps = {}): App {
  const app = new App({ analyticsReporting: false, ...props });
  const { account, region, replicaRegion } = settings;
  const { stacks } = namesOf(settings);
  const inRegion = (of: string, description: string): StackProps => ({
    env: { account, region: of },
    description,
    synthesizer: new BootstraplessSynthesizer(),
    terminationProtection: true,
  });
  const replica = new ReplicaStack(
    app,
    stacks.replica,
    settings,
    inRegion(replicaRegion, 'The second copy of all objects'),
  );
  const firewall = settings.firewall
    ? new FirewallStack(app, stacks.firewall, settings, inRegion(EDGE_REGION, 'AWS WAF before CloudFront'))
    : null;
  const storage = new StorageStack(
    app,
    stacks.storage,
    settings,
    { replicaKey: replica.key, webAclArn: firewall?.webAclArn ?? null },
    inRegion(region, 'The bucket, CloudFront before it, events, keys and roles'),
  );
  // Replication is refused while its target is not there; without keys nothing else says so.
  storage.addStackDependency(replica, 'replicates into its bucket');
  const later = [
    new EdgeStack(app, stacks.edge, settings, inRegion(EDGE_REGION, 'Access logs and alarms of CloudFront')),
    new OperationsStack(
      app,
      stacks.operations,
      settings,
      inRegion(region, 'Alarms and dashboard of the bucket'),
    ),
  ];
  for (const stack of later) stack.addStackDependency(storage, 'watches what it makes');
  new CostsStack(app, stacks.costs, settings, inRegion(EDGE_REGION, 'Budget and cost anomalies'));

  Tags.of(app).add(COST_TAG, settings.name);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
}
