import { Validations } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';

/** Buckets and what else a role may be allowed to use, by ARN. */
export interface Resources {
  readonly bucketArn: string;
  readonly replicaArn: string;
  readonly arrivalsArn: string;
  readonly distributionArn: string;
  /** Of CloudFront's access log. */
  readonly edgeLogsArn: string;
  /** Keys that encrypt the objects themselves; none with SSE-S3. */
  readonly objectKeys: readonly ObjectKey[];
}

export interface ObjectKey {
  readonly arn: string;
  readonly region: string;
  readonly bucketArn: string;
}

/** Tags go along when an object is copied, which S3 asks for permission to read and to write. */
export const READ = ['s3:GetObject', 's3:GetObjectTagging'] as const;
export const WRITE = [
  's3:PutObject',
  's3:PutObjectTagging',
  's3:AbortMultipartUpload',
  's3:ListMultipartUploadParts',
] as const;
/** What lay under a key before it was changed behind our back. */
export const LOOK_BACK = ['s3:GetObjectVersion'] as const;
/** Versions too: in a versioned bucket a deletion hides only. */
export const REMOVE = ['s3:DeleteObject', 's3:DeleteObjectVersion'] as const;

/** What is done to the objects under a prefix. */
export type PrefixGrants = Readonly<Record<string, readonly string[]>>;

/** One statement a prefix. Keys under it are not known beforehand: this is the one wildcard there is. */
export function grantPrefixes(role: Role, bucketArn: string, grants: PrefixGrants): void {
  for (const [prefix, actions] of Object.entries(grants)) {
    const resource = `${bucketArn}/${prefix}*`;
    allow(role, actions, resource);
    Validations.of(role).acknowledge({
      id: `AwsSolutions::AwsSolutions-IAM5[Resource::${resource}]`,
      reason: 'Objects under one prefix of one bucket; their keys are made while the service runs.',
    });
  }
}

export function allow(
  role: Role,
  actions: readonly string[],
  resource: string,
  conditions: Record<string, unknown> = {},
): void {
  role.addToPolicy(new PolicyStatement({ actions: [...actions], resources: [resource], conditions }));
}

/** With keys of ours at rest: used by S3 on our behalf, for objects of that bucket only. */
export function grantObjectKeys(role: Role, keys: readonly ObjectKey[]): void {
  for (const { arn, region, bucketArn } of keys)
    allow(role, ['kms:Decrypt', 'kms:GenerateDataKey'], arn, {
      StringEquals: {
        'kms:ViaService': `s3.${region}.amazonaws.com`,
        'kms:EncryptionContext:aws:s3:arn': bucketArn,
      },
    });
}
