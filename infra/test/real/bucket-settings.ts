import {
  GetBucketCorsCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLoggingCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketReplicationCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  ListBucketInventoryConfigurationsCommand,
  PutBucketCorsCommand,
  PutBucketEncryptionCommand,
  PutBucketInventoryConfigurationCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketLoggingCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketReplicationCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import {
  corsRules,
  encryptionRules,
  inventories,
  lifecycleRules,
  logging,
  ownershipControls,
  publicAccessBlock,
  replication,
  versioning,
} from './api-shapes.ts';

export type Properties = Readonly<Record<string, unknown>>;

/** A setting of a bucket: put as the API takes it, read back as the API answers. */
export interface BucketSetting {
  readonly name: string;
  readonly of: (properties: Properties) => unknown;
  readonly put: (client: S3Client, Bucket: string, properties: Properties) => Promise<unknown>;
  readonly get: (client: S3Client, Bucket: string) => Promise<unknown>;
}

/** The settings of a bucket that CloudFormation would make from the properties of its resource. */
export const BUCKET_SETTINGS: readonly BucketSetting[] = [
  {
    name: 'versioning',
    of: versioning,
    put: (client, Bucket, properties) =>
      client.send(
        new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: versioning(properties) }),
      ),
    get: async (client, Bucket) => ({
      Status: (await client.send(new GetBucketVersioningCommand({ Bucket }))).Status,
    }),
  },
  {
    name: 'the block of public access',
    of: publicAccessBlock,
    put: (client, Bucket, properties) =>
      client.send(
        new PutPublicAccessBlockCommand({
          Bucket,
          PublicAccessBlockConfiguration: publicAccessBlock(properties),
        }),
      ),
    get: async (client, Bucket) =>
      (await client.send(new GetPublicAccessBlockCommand({ Bucket }))).PublicAccessBlockConfiguration,
  },
  {
    name: 'ownership',
    of: ownershipControls,
    put: (client, Bucket, properties) =>
      client.send(
        new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: ownershipControls(properties) }),
      ),
    get: async (client, Bucket) =>
      (await client.send(new GetBucketOwnershipControlsCommand({ Bucket }))).OwnershipControls,
  },
  {
    name: 'encryption',
    of: encryptionRules,
    put: (client, Bucket, properties) =>
      client.send(
        new PutBucketEncryptionCommand({
          Bucket,
          ServerSideEncryptionConfiguration: { Rules: encryptionRules(properties) },
        }),
      ),
    get: async (client, Bucket) =>
      (await client.send(new GetBucketEncryptionCommand({ Bucket }))).ServerSideEncryptionConfiguration
        ?.Rules,
  },
  {
    name: 'lifecycle',
    of: lifecycleRules,
    put: (client, Bucket, properties) =>
      client.send(
        new PutBucketLifecycleConfigurationCommand({
          Bucket,
          LifecycleConfiguration: { Rules: lifecycleRules(properties) },
        }),
      ),
    get: async (client, Bucket) =>
      (await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))).Rules,
  },
  {
    name: 'CORS',
    of: corsRules,
    put: (client, Bucket, properties) =>
      client.send(
        new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: corsRules(properties) } }),
      ),
    get: async (client, Bucket) => (await client.send(new GetBucketCorsCommand({ Bucket }))).CORSRules,
  },
  {
    name: 'replication',
    of: replication,
    put: (client, Bucket, properties) =>
      client.send(
        new PutBucketReplicationCommand({ Bucket, ReplicationConfiguration: replication(properties) }),
      ),
    get: async (client, Bucket) =>
      (await client.send(new GetBucketReplicationCommand({ Bucket }))).ReplicationConfiguration,
  },
  {
    name: 'inventory',
    of: inventories,
    put: (client, Bucket, properties) =>
      Promise.all(
        inventories(properties).map((InventoryConfiguration) =>
          client.send(
            new PutBucketInventoryConfigurationCommand({
              Bucket,
              Id: InventoryConfiguration.Id,
              InventoryConfiguration,
            }),
          ),
        ),
      ),
    get: async (client, Bucket) =>
      (await client.send(new ListBucketInventoryConfigurationsCommand({ Bucket })))
        .InventoryConfigurationList,
  },
  {
    name: 'access logs',
    of: logging,
    put: (client, Bucket, properties) =>
      client.send(new PutBucketLoggingCommand({ Bucket, BucketLoggingStatus: logging(properties) })),
    get: async (client, Bucket) => ({
      LoggingEnabled: (await client.send(new GetBucketLoggingCommand({ Bucket }))).LoggingEnabled,
    }),
  },
];
