import { z } from 'zod';
import type { Properties } from './bucket-settings.ts';

/*
 * The properties of AWS::S3::Bucket as the S3 API spells them. Each function knows every property that we use, and refuses
 * others: what it does not know, it could lose.
 */

export function versioning(properties: Properties) {
  return z.strictObject({ Status: z.literal('Enabled') }).parse(properties['VersioningConfiguration']);
}

export function publicAccessBlock(properties: Properties) {
  const flag = z.boolean();
  return z
    .strictObject({
      BlockPublicAcls: flag,
      BlockPublicPolicy: flag,
      IgnorePublicAcls: flag,
      RestrictPublicBuckets: flag,
    })
    .parse(properties['PublicAccessBlockConfiguration']);
}

export function ownershipControls(properties: Properties) {
  const rule = z.strictObject({ ObjectOwnership: z.literal('BucketOwnerEnforced') });
  return z.strictObject({ Rules: z.array(rule) }).parse(properties['OwnershipControls']);
}

export function encryptionRules(properties: Properties) {
  const byDefault = z.strictObject({
    SSEAlgorithm: z.enum(['AES256', 'aws:kms']),
    KMSMasterKeyID: z.string().optional(),
  });
  return z
    .strictObject({
      ServerSideEncryptionConfiguration: z.array(
        z.strictObject({
          ServerSideEncryptionByDefault: byDefault,
          BucketKeyEnabled: z.boolean().default(false),
        }),
      ),
    })
    .parse(properties['BucketEncryption'])
    .ServerSideEncryptionConfiguration.map(({ ServerSideEncryptionByDefault, BucketKeyEnabled }) => ({
      ApplyServerSideEncryptionByDefault: ServerSideEncryptionByDefault,
      BucketKeyEnabled,
    }));
}

const LIFECYCLE_RULE = z.strictObject({
  Id: z.string(),
  Status: z.literal('Enabled'),
  Prefix: z.string().default(''),
  ObjectSizeGreaterThan: z.number().optional(),
  ExpirationInDays: z.number().optional(),
  ExpiredObjectDeleteMarker: z.boolean().optional(),
  NoncurrentVersionExpiration: z.strictObject({ NoncurrentDays: z.number() }).optional(),
  AbortIncompleteMultipartUpload: z.strictObject({ DaysAfterInitiation: z.number() }).optional(),
  Transitions: z
    .array(z.strictObject({ TransitionInDays: z.number(), StorageClass: z.literal('INTELLIGENT_TIERING') }))
    .optional(),
});

export function lifecycleRules(properties: Properties) {
  return z
    .strictObject({ Rules: z.array(LIFECYCLE_RULE) })
    .parse(properties['LifecycleConfiguration'])
    .Rules.map((rule) => ({
      ID: rule.Id,
      Status: rule.Status,
      Filter:
        rule.ObjectSizeGreaterThan === undefined
          ? { Prefix: rule.Prefix }
          : { And: { Prefix: rule.Prefix, ObjectSizeGreaterThan: rule.ObjectSizeGreaterThan } },
      ...(rule.ExpirationInDays !== undefined && { Expiration: { Days: rule.ExpirationInDays } }),
      ...(rule.ExpiredObjectDeleteMarker && { Expiration: { ExpiredObjectDeleteMarker: true } }),
      ...(rule.NoncurrentVersionExpiration && {
        NoncurrentVersionExpiration: rule.NoncurrentVersionExpiration,
      }),
      ...(rule.AbortIncompleteMultipartUpload && {
        AbortIncompleteMultipartUpload: rule.AbortIncompleteMultipartUpload,
      }),
      ...(rule.Transitions && {
        Transitions: rule.Transitions.map(({ TransitionInDays, StorageClass }) => ({
          Days: TransitionInDays,
          StorageClass,
        })),
      }),
    }));
}

export function corsRules(properties: Properties) {
  const texts = z.array(z.string());
  return z
    .strictObject({
      CorsRules: z.array(
        z.strictObject({
          Id: z.string(),
          AllowedOrigins: texts,
          AllowedMethods: texts,
          AllowedHeaders: texts,
          ExposedHeaders: texts.optional(),
          MaxAge: z.number(),
        }),
      ),
    })
    .parse(properties['CorsConfiguration'])
    .CorsRules.map(({ Id, ExposedHeaders, MaxAge, ...same }) => ({
      ID: Id,
      ...same,
      ...(ExposedHeaders && { ExposeHeaders: ExposedHeaders }),
      MaxAgeSeconds: MaxAge,
    }));
}

const ENABLED = z.strictObject({ Status: z.literal('Enabled') });
const MINUTES = z.strictObject({ Minutes: z.number() });

export function replication(properties: Properties) {
  return z
    .strictObject({
      Role: z.string(),
      Rules: z.array(
        z
          .strictObject({
            Id: z.string(),
            Status: z.literal('Enabled'),
            Priority: z.number(),
            Filter: z.strictObject({ Prefix: z.string() }),
            DeleteMarkerReplication: ENABLED,
            Destination: z.strictObject({
              Bucket: z.string(),
              ReplicationTime: ENABLED.extend({ Time: MINUTES }),
              Metrics: ENABLED.extend({ EventThreshold: MINUTES }),
            }),
          })
          .transform(({ Id, ...same }) => ({ ID: Id, ...same })),
      ),
    })
    .parse(properties['ReplicationConfiguration']);
}

const COLUMN = z.enum([
  'Size',
  'LastModifiedDate',
  'ETag',
  'StorageClass',
  'IsMultipartUploaded',
  'ReplicationStatus',
  'EncryptionStatus',
  'IntelligentTieringAccessTier',
  'ChecksumAlgorithm',
]);

export function inventories(properties: Properties) {
  return z
    .array(
      z.strictObject({
        Id: z.string(),
        Enabled: z.boolean(),
        ScheduleFrequency: z.literal('Daily'),
        IncludedObjectVersions: z.literal('All'),
        OptionalFields: z.array(COLUMN),
        Destination: z.strictObject({
          BucketAccountId: z.string(),
          BucketArn: z.string(),
          Format: z.literal('Parquet'),
          Prefix: z.string(),
        }),
      }),
    )
    .parse(properties['InventoryConfigurations'])
    .map(({ Id, Enabled, ScheduleFrequency, IncludedObjectVersions, OptionalFields, Destination }) => ({
      Id,
      IsEnabled: Enabled,
      Schedule: { Frequency: ScheduleFrequency },
      IncludedObjectVersions,
      OptionalFields,
      Destination: {
        S3BucketDestination: {
          AccountId: Destination.BucketAccountId,
          Bucket: Destination.BucketArn,
          Format: Destination.Format,
          Prefix: Destination.Prefix,
        },
      },
    }));
}

export function logging(properties: Properties) {
  const { DestinationBucketName, LogFilePrefix, TargetObjectKeyFormat } = z
    .strictObject({
      DestinationBucketName: z.string(),
      LogFilePrefix: z.string(),
      TargetObjectKeyFormat: z.strictObject({
        PartitionedPrefix: z.strictObject({ PartitionDateSource: z.literal('EventTime') }),
      }),
    })
    .parse(properties['LoggingConfiguration']);
  return {
    LoggingEnabled: {
      TargetBucket: DestinationBucketName,
      TargetPrefix: LogFilePrefix,
      TargetObjectKeyFormat,
    },
  };
}
