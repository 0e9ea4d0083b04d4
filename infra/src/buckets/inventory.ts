import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';

/** Columns of the list (S3 API, InventoryConfiguration, 2025), besides bucket, key, version and delete marker. */
const COLUMNS = [
  'Size',
  'LastModifiedDate',
  'ETag',
  'StorageClass',
  'IsMultipartUploaded',
  'ReplicationStatus',
  'EncryptionStatus',
  'IntelligentTieringAccessTier',
  'ChecksumAlgorithm',
];

/** A list of every version of every object, once a day, in Parquet: what reconciling and costs are checked against. */
export function dailyInventory(account: string, reports: Bucket): CfnBucket.InventoryConfigurationProperty {
  return {
    id: 'daily',
    enabled: true,
    scheduleFrequency: 'Daily',
    includedObjectVersions: 'All',
    optionalFields: COLUMNS,
    destination: {
      bucketAccountId: account,
      bucketArn: reports.bucketArn,
      format: 'Parquet',
      prefix: 'inventory',
    },
  };
}

/** S3 may write the lists of that bucket into this one (S3 User Guide, "Configuring Amazon S3 Inventory", 2025). */
export function acceptInventory(reports: Bucket, account: string, sourceArn: string): void {
  reports.addToResourcePolicy(
    new PolicyStatement({
      sid: 'InventoryIsWrittenHere',
      principals: [new ServicePrincipal('s3.amazonaws.com')],
      actions: ['s3:PutObject'],
      resources: [reports.arnForObjects('inventory/*')],
      conditions: {
        StringEquals: { 'aws:SourceAccount': account, 's3:x-amz-acl': 'bucket-owner-full-control' },
        ArnEquals: { 'aws:SourceArn': sourceArn },
      },
    }),
  );
}
