import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  CfnBucket,
  type IBucket,
  ObjectOwnership,
  PartitionDateSource,
  TargetObjectKeyFormat,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { bucketLifecycle } from '../../../src/domain/bucket-lifecycle.ts';
import { lifecycleOf } from './lifecycle.ts';

export interface PrivateBucketProps {
  readonly bucketName: string;
  /** Where S3 writes who asked this bucket for what; a bucket of logs has none itself. */
  readonly logs: IBucket | null;
  /** Has a policy of its own that refuses what is not TLS; the other buckets get one. */
  readonly hasPolicy?: boolean;
  /** Encrypts objects at rest; keys that S3 holds (SSE-S3) when null. */
  readonly key: IKey | null;
}

/** How long access logs and inventories are kept. */
export const LOG_DAYS = 90;
export const REPORT_DAYS = 35;
/** Days after which the parts of an upload that died are removed. */
const MULTIPART_DAYS = 1;

/**
 * A bucket as all of ours are: no public access, no ACLs (owner enforced), encrypted, versioned, TLS 1.2 or newer only,
 * kept when its stack is deleted.
 */
export function privateBucket(scope: Construct, id: string, props: PrivateBucketProps): Bucket {
  return new Bucket(scope, id, {
    bucketName: props.bucketName,
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    ...(props.key === null
      ? { encryption: BucketEncryption.S3_MANAGED }
      : { encryption: BucketEncryption.KMS, encryptionKey: props.key, bucketKeyEnabled: true }),
    versioned: true,
    ...(props.hasPolicy !== true && { enforceSSL: true, minimumTLSVersion: 1.2 }),
    removalPolicy: RemovalPolicy.RETAIN,
    ...(props.logs === null
      ? {}
      : {
          serverAccessLogsBucket: props.logs,
          serverAccessLogsPrefix: 's3/',
          // One folder a day, so that a query reads the days it asks for.
          targetObjectKeyFormat: TargetObjectKeyFormat.partitionedPrefix(PartitionDateSource.EVENT_TIME),
        }),
  });
}

/** Server access logs of a region's buckets, and nothing else: it has no log of its own, which would never end. */
export function logsBucket(scope: Construct, bucketName: string): Bucket {
  const bucket = privateBucket(scope, 'Logs', { bucketName, logs: null, key: null });
  expireAfter(bucket, LOG_DAYS);
  Validations.of(bucket).acknowledge({
    id: 'AwsSolutions::AwsSolutions-S1',
    reason: 'A bucket of logs that logs itself would never come to an end.',
  });
  return bucket;
}

/** Logs and reports: nobody changes them, and after their time nobody asks. */
export function expireAfter(bucket: Bucket, days: number): void {
  bucket.addLifecycleRule({
    id: `expire-after-${days}-days`,
    expiration: Duration.days(days),
    noncurrentVersionExpiration: Duration.days(1),
    abortIncompleteMultipartUploadAfter: Duration.days(MULTIPART_DAYS),
  });
}

/** What S3 carries out by itself, generated from the service's own table of retention rules. */
export function retainAsTheServiceDoes(bucket: Bucket): void {
  resourceOf(bucket).lifecycleConfiguration = lifecycleOf(bucketLifecycle());
  Validations.of(bucket).acknowledge({
    id: 'CloudFormation-Validate::W9003',
    reason: 'CDK types ObjectSizeGreaterThan as a number; CloudFormation takes it and makes it a text.',
  });
}

/** The CloudFormation resource under a bucket, for what the construct above it has no property for. */
export function resourceOf(bucket: Bucket): CfnBucket {
  const resource = bucket.node.defaultChild;
  if (!(resource instanceof CfnBucket)) throw new TypeError(`${bucket.node.path} has no bucket under it`);
  return resource;
}
