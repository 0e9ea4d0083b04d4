import { expect, test } from 'vitest';
import { allOf, oneOf } from './support/resources.ts';
import { roleStatements, type Statement } from './support/statements.ts';
import { EXAMPLE, VARIANTS, WITH_EVERYTHING } from './support/variants.ts';

const HERE = `arn:aws:s3:::${EXAMPLE.names.bucket}`;
const THERE = `arn:aws:s3:::${EXAMPLE.names.replicaBucket}`;
const DISTRIBUTION = 'arn:aws:cloudfront::111122223333:distribution/<Distribution>';

const READ = ['s3:GetObject'];
const WRITE = ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'];
const REMOVE = ['s3:DeleteObject', 's3:DeleteObjectVersion'];
const LIST = ['s3:ListBucket', 's3:ListBucketVersions'];
const INVALIDATE = ['cloudfront:CreateInvalidation', 'cloudfront:GetInvalidation'];
const COPY_FROM = [
  's3:GetObjectVersionForReplication',
  's3:GetObjectVersionAcl',
  's3:GetObjectVersionTagging',
];
const COPY_TO = ['s3:ReplicateObject', 's3:ReplicateDelete', 's3:ReplicateTags'];
const REPLICATED = ['items/*', 'profiles/*', 'quarantine/*', 'verification/*'];

/** All that each role may do: resource → actions. What is not here is a finding, and so is what is not needed any more. */
const ALLOWED: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'localex-storage-web': {
    [HERE]: LIST,
    [`${HERE}/temp/uploads/*`]: [...READ, ...WRITE, ...REMOVE],
    [`${HERE}/items/*`]: [...READ, ...WRITE, ...REMOVE],
    [`${HERE}/profiles/*`]: [...READ, ...WRITE, ...REMOVE],
    [`${HERE}/quarantine/view/*`]: [...READ, ...WRITE, ...REMOVE],
    [`${HERE}/quarantine/raw/*`]: REMOVE,
    [`${HERE}/verification/documents/*`]: [...READ, ...WRITE, ...REMOVE],
    [THERE]: LIST,
    [`${THERE}/items/*`]: [...READ, ...REMOVE],
    [`${THERE}/profiles/*`]: [...READ, ...REMOVE],
    [`${THERE}/quarantine/view/*`]: [...READ, ...REMOVE],
    [`${THERE}/quarantine/raw/*`]: REMOVE,
    [`${THERE}/verification/documents/*`]: [...READ, ...REMOVE],
    '<DocumentsKey.Arn>': ['kms:Encrypt', 'kms:Decrypt'],
    [DISTRIBUTION]: INVALIDATE,
  },
  'localex-storage-worker': {
    [HERE]: [...LIST, 's3:ListBucketMultipartUploads'],
    [`${HERE}/temp/uploads/*`]: [...READ, ...REMOVE, 's3:AbortMultipartUpload'],
    [`${HERE}/items/*`]: [...READ, ...WRITE, ...REMOVE, 's3:RestoreObject'],
    [`${HERE}/profiles/*`]: [...READ, ...WRITE, ...REMOVE],
    [`${HERE}/quarantine/*`]: [...READ, ...WRITE, ...REMOVE],
    [`${HERE}/verification/documents/*`]: [...READ, ...WRITE, ...REMOVE, 's3:RestoreObject'],
    [THERE]: LIST,
    [`${THERE}/items/*`]: [...READ, ...REMOVE],
    [`${THERE}/profiles/*`]: [...READ, ...REMOVE],
    [`${THERE}/quarantine/*`]: [...READ, ...REMOVE],
    [`${THERE}/verification/documents/*`]: [...READ, ...REMOVE],
    '<DocumentsKey.Arn>': ['kms:Encrypt', 'kms:Decrypt'],
    '<Arrivals.Arn>': [
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:ChangeMessageVisibility',
      'sqs:GetQueueAttributes',
    ],
    [DISTRIBUTION]: [...INVALIDATE, 'cloudfront:GetDistributionConfig', 'cloudfront:UpdateDistribution'],
  },
  'localex-storage-replication': {
    [HERE]: ['s3:GetReplicationConfiguration', 's3:ListBucket'],
    ...Object.fromEntries(REPLICATED.map((prefix) => [`${HERE}/${prefix}`, COPY_FROM])),
    ...Object.fromEntries(REPLICATED.map((prefix) => [`${THERE}/${prefix}`, COPY_TO])),
  },
};

test('each role may do what the table says, no more and no less', () => {
  const roles = [...roleStatements(EXAMPLE)].map(([role, statements]) => [
    role,
    actionsByResource(statements),
  ]);
  expect(Object.fromEntries(roles)).toEqual(
    Object.fromEntries(Object.entries(ALLOWED).map(([role, allowed]) => [role, sorted(allowed)])),
  );
});

test.each(VARIANTS)(
  'no statement of %s has a wildcard action, or a resource wider than one prefix',
  (_, synthesised) => {
    for (const [role, statements] of roleStatements(synthesised))
      for (const { Action, Resource } of statements) {
        for (const action of Action) expect(action, role).toMatch(/^[a-z\d]+:[A-Za-z]+$/);
        for (const resource of Resource)
          expect(resource, role).toMatch(/^[^*]+$|^arn:aws:s3:::[a-z\d-]+\/([a-z]+\/)+\*$/);
      }
  },
);

test('keys of ours are used through S3 only, for the bucket whose objects they encrypt', () => {
  const uses = [...roleStatements(WITH_EVERYTHING)].flatMap(([, statements]) =>
    statements.filter(({ Resource }) => Resource.includes('<ObjectKey.Arn>')),
  );
  // Three roles, a key in each of two regions.
  expect(uses.length).toBe(6);
  for (const { Condition } of uses)
    expect(Condition).toEqual({
      StringEquals: {
        'kms:ViaService': expect.stringMatching(/^s3\.eu-(central|west)-1\.amazonaws\.com$/),
        'kms:EncryptionContext:aws:s3:arn': expect.stringMatching(/^arn:aws:s3:::localex-storage-/),
      },
    });
});

test('the roles are taken by what the service runs on, and by S3 for this bucket', () => {
  const trusted = (synthesised: typeof EXAMPLE, RoleName: string) =>
    oneOf(synthesised, 'AWS::IAM::Role', { RoleName }).properties['AssumeRolePolicyDocument'];
  for (const role of [EXAMPLE.names.webRole, EXAMPLE.names.workerRole]) {
    expect(trusted(EXAMPLE, role)).toMatchObject({
      Statement: [
        {
          Principal: { Service: 'ecs-tasks.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
        },
      ],
    });
    expect(trusted(WITH_EVERYTHING, role)).toMatchObject({
      Statement: [{ Principal: { Service: 'ec2.amazonaws.com' } }],
    });
  }
  expect(trusted(EXAMPLE, EXAMPLE.names.replicationRole)).toMatchObject({
    Statement: [
      { Principal: { Service: 's3.amazonaws.com' }, Condition: { ArnEquals: { 'aws:SourceArn': HERE } } },
    ],
  });
});

test.each(VARIANTS)(
  '%s makes no user, no group, no access key, and uses no policy that AWS manages',
  (_, synthesised) => {
    for (const type of ['User', 'Group', 'AccessKey', 'ManagedPolicy'])
      expect(allOf(synthesised, `AWS::IAM::${type}`)).toEqual([]);
    for (const { properties } of allOf(synthesised, 'AWS::IAM::Role'))
      expect(properties).not.toHaveProperty('ManagedPolicyArns');
  },
);

function actionsByResource(statements: readonly Statement[]): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { Effect, Action, Resource } of statements) {
    expect(Effect).toBe('Allow');
    for (const resource of Resource) found[resource] = [...(found[resource] ?? []), ...Action];
  }
  return sorted(found);
}

function sorted(actions: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(actions).map(([resource, list]) => [resource, list.toSorted()]));
}
