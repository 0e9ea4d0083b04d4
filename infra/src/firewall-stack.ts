import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { firewall } from './delivery/firewall.ts';
import type { Settings } from './settings.ts';

/** AWS WAF for CloudFront, which is kept in us-east-1 only. */
export class FirewallStack extends Stack {
  readonly webAclArn: string;

  constructor(scope: Construct, id: string, settings: Settings, props: StackProps) {
    super(scope, id, props);
    this.webAclArn = firewall(this, `${settings.name}-edge`).attrArn;
  }
}
