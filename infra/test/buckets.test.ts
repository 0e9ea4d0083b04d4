import { expect, test } from 'vitest';
import { bucketCors } from '../../src/domain/bucket-cors.ts';
import { RETENTION } from '../../src/domain/retention.ts';
import { corsRules } from './real/api-shapes.ts';
import { allOf, oneOf } from './support/resources.ts';
import { bucketStatements } from './support/statements.ts';
import { EXAMPLE, VARIANTS, WITH_EVERYTHING } from './support/variants.ts';

const main = oneOf(EXAMPLE, 'AWS::S3::Bucket', { BucketName: EXAMPLE.names.bucket });
const replica = oneOf(EXAMPLE, 'AWS::S3::Bucket', { BucketName: EXAMPLE.names.replicaBucket });

test.each(VARIANTS)('no bucket of %s can be made public, by whomever and however', (_, synthesised) => {
  const buckets = allOf(synthesised, 'AWS::S3::Bucket');
  expect(buckets.length).toBe(6);
  for (const { properties } of buckets)
    expect(properties, String(properties['BucketName'])).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      VersioningConfiguration: { Status: 'Enabled' },
    });
});

test.each(VARIANTS)(
  'every bucket of %s is kept when its stack is deleted, and so are keys',
  (_, synthesised) => {
    for (const type of ['AWS::S3::Bucket', 'AWS::KMS::Key'])
      for (const { id, attributes } of allOf(synthesised, type))
        expect(attributes, id).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  },
);

test.each(VARIANTS)(
  'every bucket of %s refuses what is not TLS 1.2 or newer, whoever asks',
  (_, synthesised) => {
    const denied = bucketStatements(synthesised).filter(
      ({ Effect, Action, Principal }) =>
        Effect === 'Deny' &&
        Action.includes('s3:*') &&
        Principal &&
        'AWS' in Principal &&
        Principal.AWS === '*',
    );
    for (const { properties } of allOf(synthesised, 'AWS::S3::Bucket')) {
      const arn = `arn:aws:s3:::${String(properties['BucketName'])}`;
      const conditions = denied
        .filter(({ Resource }) => Resource.includes(arn) && Resource.includes(`${arn}/*`))
        .map(({ Condition }) => JSON.stringify(Condition).replace('"1.2"', '1.2'));
      expect(conditions, arn).toContain('{"Bool":{"aws:SecureTransport":"false"}}');
      expect(conditions, arn).toContain('{"NumericLessThan":{"s3:TlsVersion":1.2}}');
    }
  },
);

test('objects are encrypted by S3, or by a key of ours in each region that is used bucket by bucket', () => {
  for (const { properties } of allOf(EXAMPLE, 'AWS::S3::Bucket'))
    expect(properties['BucketEncryption']).toEqual({
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
    });
  for (const BucketName of [WITH_EVERYTHING.names.bucket, WITH_EVERYTHING.names.replicaBucket])
    expect(oneOf(WITH_EVERYTHING, 'AWS::S3::Bucket', { BucketName }).properties).toMatchObject({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          {
            BucketKeyEnabled: true,
            ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: expect.anything() },
          },
        ],
      },
    });
  for (const { id, properties } of allOf(WITH_EVERYTHING, 'AWS::KMS::Key'))
    expect(properties, id).toMatchObject({ EnableKeyRotation: true });
});

test('the bucket does by itself what the retention rules give it, and the replica does the same', () => {
  const { 'temporary-objects': temporary, 'item-originals-tier': tier, 'old-versions': old } = RETENTION;
  const rules = [
    { Id: 'abandoned-uploads', Prefix: '', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 2 } },
    { Id: 'temporary-objects', Prefix: 'temp/', ExpirationInDays: temporary.days + 1 },
    {
      Id: 'item-originals-tier',
      Prefix: 'items/original/',
      ObjectSizeGreaterThan: 1_048_576,
      Transitions: [{ StorageClass: 'INTELLIGENT_TIERING', TransitionInDays: tier.days }],
    },
    {
      Id: 'old-versions',
      Prefix: '',
      NoncurrentVersionExpiration: { NoncurrentDays: old.days },
      ExpiredObjectDeleteMarker: true,
    },
  ].map((rule) => ({ ...rule, Status: 'Enabled' }));
  expect(main.properties['LifecycleConfiguration']).toEqual({ Rules: rules });
  expect(replica.properties['LifecycleConfiguration']).toEqual({ Rules: rules });
});

test('Intelligent-Tiering keeps every object readable at once: no tier that would have to be restored', () => {
  for (const { properties } of allOf(EXAMPLE, 'AWS::S3::Bucket'))
    expect(properties).not.toHaveProperty('IntelligentTieringConfigurations');
  const classes = JSON.stringify(main.properties['LifecycleConfiguration']).matchAll(
    /"StorageClass":"(\w+)"/g,
  );
  expect([...classes].map(([, name]) => name)).toEqual(['INTELLIGENT_TIERING']);
});

test('everything but temporary objects is replicated, deletions too, within minutes that are measured', () => {
  const { ReplicationConfiguration } = main.properties;
  const timing = { Minutes: 15 };
  const rule = (prefix: string) =>
    expect.objectContaining({
      Status: 'Enabled',
      Filter: { Prefix: prefix },
      DeleteMarkerReplication: { Status: 'Enabled' },
      Destination: {
        Bucket: `arn:aws:s3:::${EXAMPLE.names.replicaBucket}`,
        ReplicationTime: { Status: 'Enabled', Time: timing },
        Metrics: { Status: 'Enabled', EventThreshold: timing },
      },
    });
  expect(ReplicationConfiguration).toMatchObject({
    Rules: ['items/', 'profiles/', 'quarantine/', 'verification/', 'audit/'].map(rule),
  });
  expect(replica.stack).toBe(EXAMPLE.names.stacks.replica);
});

test('with keys of ours the copies are encrypted by the key of their own region', () => {
  const { properties } = oneOf(WITH_EVERYTHING, 'AWS::S3::Bucket', { BucketName: EXAMPLE.names.bucket });
  const rules = JSON.stringify(properties['ReplicationConfiguration']);
  expect(rules.match(/"SseKmsEncryptedObjects":\{"Status":"Enabled"\}/g)).toHaveLength(5);
  expect(rules.match(/"ReplicaKmsKeyID":\{"Fn::GetStackOutput"/g)).toHaveLength(5);
});

test('an inventory of every version is written daily, in Parquet, where only S3 may write it for this bucket', () => {
  expect(main.properties['InventoryConfigurations']).toMatchObject([
    {
      Enabled: true,
      ScheduleFrequency: 'Daily',
      IncludedObjectVersions: 'All',
      Destination: { Format: 'Parquet', BucketAccountId: '111122223333', Prefix: 'inventory' },
    },
  ]);
  const policies = JSON.stringify(allOf(EXAMPLE, 'AWS::S3::BucketPolicy'));
  expect(policies).toContain(
    `"StringEquals":{"aws:SourceAccount":"111122223333","s3:x-amz-acl":"bucket-owner-full-control"},"ArnEquals":{"aws:SourceArn":"arn:aws:s3:::${EXAMPLE.names.bucket}"}`,
  );
});

test.each(VARIANTS)('every bucket of %s but those of logs is logged, and logs go away', (_, synthesised) => {
  const { logsBucket, replicaLogsBucket, edgeLogsBucket } = synthesised.names;
  const logs: readonly string[] = [logsBucket, replicaLogsBucket, edgeLogsBucket];
  const buckets = allOf(synthesised, 'AWS::S3::Bucket').map(({ properties }) => properties);
  const ofLogs = new Set(buckets.filter(({ BucketName }) => logs.includes(String(BucketName))));
  expect(ofLogs.size).toBe(3);
  for (const properties of ofLogs)
    expect(properties).toMatchObject({ LifecycleConfiguration: { Rules: [{ ExpirationInDays: 90 }] } });
  for (const properties of buckets.filter((each) => !ofLogs.has(each)))
    expect(properties).toHaveProperty('LoggingConfiguration.DestinationBucketName');
});

test('browsers of the named origins alone may post to the bucket', () => {
  expect(main.properties['CorsConfiguration']).toMatchObject({
    CorsRules: [{ AllowedOrigins: ['https://localex.example'], AllowedMethods: ['POST'] }],
  });
  expect(corsRules(main.properties)).toEqual(bucketCors(['https://localex.example']));
});

test('the bucket tells EventBridge of its objects, and publishes figures of all its requests', () => {
  expect(main.properties).toMatchObject({
    NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
    MetricsConfigurations: [{ Id: 'all-requests' }],
  });
});
