import { PrincipalWithConditions, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { CfnBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { REPLICATED_PREFIXES } from '../../../src/domain/keys.ts';
import { allow, grantPrefixes } from '../roles/grants.ts';

export interface ReplicationProps {
  readonly roleName: string;
  readonly account: string;
  readonly sourceArn: string;
  readonly targetArn: string;
  /** Keys that decrypt here and encrypt there; null with SSE-S3. */
  readonly keys: { readonly sourceArn: string; readonly targetArn: string; readonly regions: Regions } | null;
}

interface Regions {
  readonly source: string;
  readonly target: string;
}

const READ_VERSION = [
  's3:GetObjectVersionForReplication',
  's3:GetObjectVersionAcl',
  's3:GetObjectVersionTagging',
];
const REPLICATE = ['s3:ReplicateObject', 's3:ReplicateDelete', 's3:ReplicateTags'];

/** Minutes that S3 Replication Time Control promises; only this value is allowed (S3 API, ReplicationTimeValue, 2025). */
export const REPLICATION_MINUTES = 15;

/**
 * One rule a prefix, since a rule takes one. Deletions are replicated as delete markers; S3 never replicates the
 * deletion of a version, which the service therefore repeats in the replica itself. With Replication Time Control, so that
 * lag is measured and late objects are told.
 */
export function replicationTo({ role, targetArn, keys }: ReplicationProps & { readonly role: Role }) {
  const timing = { minutes: REPLICATION_MINUTES };
  const rules = REPLICATED_PREFIXES.map(
    (prefix, index): CfnBucket.ReplicationRuleProperty => ({
      id: ruleIdOf(prefix),
      status: 'Enabled',
      priority: index + 1,
      filter: { prefix },
      deleteMarkerReplication: { status: 'Enabled' },
      destination: {
        bucket: targetArn,
        replicationTime: { status: 'Enabled', time: timing },
        metrics: { status: 'Enabled', eventThreshold: timing },
        ...(keys === null ? {} : { encryptionConfiguration: { replicaKmsKeyId: keys.targetArn } }),
      },
      ...(keys === null
        ? {}
        : { sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: 'Enabled' } } }),
    }),
  );
  return { role: role.roleArn, rules };
}

function ruleIdOf(prefix: string): string {
  return `replicate-${prefix.replace('/', '')}`;
}

/** By which metrics tell the rules apart. */
export function replicationRuleIds(): readonly string[] {
  return REPLICATED_PREFIXES.map(ruleIdOf);
}

/**
 * What S3 does in our name, and nothing more (S3 User Guide, "Setting up permissions for live replication", 2025).
 * Without object ACLs it needs no permission to change their owner.
 */
export function replicationRole(scope: Construct, id: string, props: ReplicationProps): Role {
  const { roleName, account, sourceArn, targetArn, keys } = props;
  const role = new Role(scope, id, {
    roleName,
    description: 'S3 copies objects to the other region',
    assumedBy: new PrincipalWithConditions(new ServicePrincipal('s3.amazonaws.com'), {
      StringEquals: { 'aws:SourceAccount': account },
      ArnEquals: { 'aws:SourceArn': sourceArn },
    }),
  });
  allow(role, ['s3:GetReplicationConfiguration', 's3:ListBucket'], sourceArn);
  const everyPrefix = (actions: readonly string[]) =>
    Object.fromEntries(REPLICATED_PREFIXES.map((prefix) => [prefix, actions]));
  grantPrefixes(role, sourceArn, everyPrefix(READ_VERSION));
  grantPrefixes(role, targetArn, everyPrefix(REPLICATE));
  if (keys !== null) {
    allow(role, ['kms:Decrypt'], keys.sourceArn, through(keys.regions.source, sourceArn));
    allow(role, ['kms:Encrypt'], keys.targetArn, through(keys.regions.target, targetArn));
  }
  return role;
}

/** With bucket keys the encryption context is the bucket's ARN (S3 User Guide, "S3 Bucket Keys", 2025). */
function through(region: string, bucketArn: string) {
  return {
    StringEquals: {
      'kms:ViaService': `s3.${region}.amazonaws.com`,
      'kms:EncryptionContext:aws:s3:arn': bucketArn,
    },
  };
}
