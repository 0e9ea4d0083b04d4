import { expect, test } from 'vitest';
import { allOf, oneOf } from './support/resources.ts';
import { roleStatements, type Statement } from './support/statements.ts';
import { EXAMPLE, VARIANTS, WITH_EVERYTHING } from './support/variants.ts';

const HERE = `arn:aws:s3:::${EXAMPLE.names.bucket}`;
const THERE = `arn:aws:s3:::${EXAMPLE.names.replicaBucket}`;
const DISTRIBUTION = 'arn:aws:cloudfront::111122223333:distribution/<Distribution>';
const CACHE_POLICIES = 'arn:aws:cloudfront::111122223333:cache-policy/*';
const EDGE_LOGS = `arn:aws:s3:::${EXAMPLE.names.edgeLogsBucket}`;
const KEYS = 'arn:aws:kms:eu-central-1:111122223333:key/*';
const ALIAS = 'arn:aws:kms:eu-central-1:111122223333:alias/localex-storage-documents';

const READ = ['s3:GetObject', 's3:GetObjectTagging'];
const WRITE = [
  's3:PutObject',
  's3:PutObjectTagging',
  's3:AbortMultipartUpload',
  's3:ListMultipartUploadParts',
];
const REMOVE = ['s3:DeleteObject', 's3:DeleteObjectVersion'];
const BACK = 's3:GetObjectVersion';
const LOOK = ['s3:ListBucket', 's3:ListBucketVersions', 's3:GetBucketVersioning'];
const USE_KEYS = ['kms:Encrypt', 'kms:Decrypt', 'kms:DescribeKey'];
const ROTATE_KEYS = [
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:TagResource',
  'kms:GetKeyPolicy',
  'kms:CreateAlias',
  'kms:UpdateAlias',
  'kms:ScheduleKeyDeletion',
];
const COPY_FROM = [
  's3:GetObjectVersionForReplication',
  's3:GetObjectVersionAcl',
  's3:GetObjectVersionTagging',
];
const COPY_TO = ['s3:ReplicateObject', 's3:ReplicateDelete', 's3:ReplicateTags'];
const REPLICATED = ['items/*', 'profiles/*', 'quarantine/*', 'verification/*', 'audit/*'];

/** All that each role may do: resource → actions. What is not here is a finding, and so is what is not needed any more. */
const ALLOWED: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'localex-storage-web': {
    [HERE]: LOOK,
    [`${HERE}/temp/*`]: [...READ, ...WRITE, ...REMOVE],
    [`${HERE}/items/*`]: [...READ, ...WRITE, ...REMOVE],
    [`${HERE}/profiles/*`]: [...READ, ...WRITE, ...REMOVE],
    [`${HERE}/quarantine/*`]: [...WRITE, ...REMOVE],
    [`${HERE}/quarantine/view/*`]: READ,
    [`${HERE}/verification/documents/*`]: [...READ, ...WRITE, ...REMOVE],
    [`${HERE}/audit/*`]: READ,
    [`${HERE}/audit/restores/*`]: ['s3:PutObject', 's3:AbortMultipartUpload'],
    [THERE]: LOOK,
    [`${THERE}/items/*`]: [...READ, ...REMOVE],
    [`${THERE}/profiles/*`]: [...READ, ...REMOVE],
    [`${THERE}/quarantine/*`]: REMOVE,
    [`${THERE}/quarantine/view/*`]: READ,
    [`${THERE}/verification/documents/*`]: [...READ, ...REMOVE],
    [KEYS]: USE_KEYS,
  },
  'localex-storage-worker': {
    [HERE]: [...LOOK, 's3:ListBucketMultipartUploads'],
    [`${HERE}/temp/*`]: [...READ, ...WRITE, ...REMOVE],
    [`${HERE}/items/*`]: [...READ, BACK, ...WRITE, ...REMOVE, 's3:RestoreObject'],
    [`${HERE}/profiles/*`]: [...READ, BACK, ...WRITE, ...REMOVE],
    [`${HERE}/quarantine/*`]: [...READ, BACK, ...WRITE, ...REMOVE],
    [`${HERE}/verification/documents/*`]: [...READ, BACK, ...WRITE, ...REMOVE, 's3:RestoreObject'],
    [`${HERE}/audit/*`]: [...READ, 's3:PutObject', 's3:AbortMultipartUpload'],
    [THERE]: LOOK,
    [`${THERE}/items/*`]: [...READ, BACK, ...REMOVE],
    [`${THERE}/profiles/*`]: [...READ, BACK, ...REMOVE],
    [`${THERE}/quarantine/*`]: [...READ, BACK, ...REMOVE],
    [`${THERE}/verification/documents/*`]: [...READ, BACK, ...REMOVE],
    [EDGE_LOGS]: ['s3:ListBucket'],
    [`${EDGE_LOGS}/cloudfront/*`]: ['s3:GetObject'],
    [KEYS]: [...USE_KEYS, ...ROTATE_KEYS],
    [ALIAS]: ['kms:UpdateAlias'],
    [`${ALIAS}-version-*`]: ['kms:CreateAlias'],
    '<Arrivals.Arn>': [
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:ChangeMessageVisibility',
      'sqs:GetQueueAttributes',
    ],
    [DISTRIBUTION]: [
      'cloudfront:CreateInvalidation',
      'cloudfront:GetInvalidation',
      'cloudfront:GetDistributionConfig',
      'cloudfront:UpdateDistribution',
    ],
    [CACHE_POLICIES]: [
      'cloudfront:CreateCachePolicy',
      'cloudfront:GetCachePolicy',
      'cloudfront:UpdateCachePolicy',
    ],
    '*': [
      'cloudfront:ListCachePolicies',
      'kms:CreateKey',
      'kms:ListAliases',
      'rekognition:DetectModerationLabels',
    ],
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

/** Wildcards in resources, each with what keeps it narrow. */
const WILDCARDS = [
  // Objects under one prefix of one bucket.
  /^arn:aws:s3:::[a-z\d-]+\/([a-z]+\/)+\*$/,
  // By tag: see below.
  /^arn:aws:kms:[a-z\d-]+:\d{12}:key\/\*$/,
  /^arn:aws:kms:[a-z\d-]+:\d{12}:alias\/localex-storage-documents-version-\*$/,
  /^arn:aws:cloudfront::\d{12}:cache-policy\/\*$/,
];
/** Actions for which AWS knows no resource but all (Service Authorization Reference, 2025). */
const WITHOUT_RESOURCE = [
  'kms:CreateKey',
  'kms:ListAliases',
  'cloudfront:ListCachePolicies',
  'rekognition:DetectModerationLabels',
];

test.each(VARIANTS)(
  'no action of %s is a wildcard, and no resource a wider one than AWS asks for',
  (_, synthesised) => {
    for (const [role, statements] of roleStatements(synthesised))
      for (const { Action, Resource } of statements) {
        for (const action of Action) expect(action, role).toMatch(/^[a-z\d]+:[A-Za-z]+$/);
        const wild = Resource.filter((resource) => resource.includes('*'));
        const known = wild.filter(
          (resource) =>
            WILDCARDS.some((pattern) => pattern.test(resource)) ||
            (resource === '*' && Action.every((action) => WITHOUT_RESOURCE.includes(action))),
        );
        expect(known, role).toEqual(wild);
      }
  },
);

test.each(VARIANTS)(
  'keys are reached by the tag of our wrapping keys only in %s, bound to file and owner',
  (_, synthesised) => {
    const { documentsAlias } = synthesised.names;
    const statements = ['localex-storage-web', 'localex-storage-worker'].flatMap(
      (role) => roleStatements(synthesised).get(role) ?? [],
    );
    const onKeys = statements.filter(({ Resource }) => Resource.includes(KEYS));
    expect(onKeys.length).toBe(7);
    for (const { Action, Condition } of onKeys)
      expect(JSON.stringify(Condition), Action.join()).toMatch(
        /"aws:(Resource|Request)Tag\/localex-storage":"document-keys"/,
      );
    const wrapping = onKeys.filter(({ Action }) =>
      Action.some((action) => ['kms:Decrypt', 'kms:ReEncryptFrom'].includes(action)),
    );
    expect(wrapping.length).toBe(3);
    for (const { Condition } of wrapping)
      expect(Condition).toMatchObject({
        Null: { 'kms:EncryptionContext:fileId': 'false', 'kms:EncryptionContext:ownerId': 'false' },
      });
    const key = oneOf(synthesised, 'AWS::KMS::Alias', { AliasName: documentsAlias });
    expect(JSON.stringify(key.properties['TargetKeyId'])).toContain('DocumentsKey');
    const tagged = allOf(synthesised, 'AWS::KMS::Key').filter(({ properties }) =>
      JSON.stringify(properties['Tags']).includes('document-keys'),
    );
    expect(tagged.map(({ id }) => id.slice(0, 12))).toEqual(['DocumentsKey']);
  },
);

test('a key that somebody uses already cannot be given our tag', () => {
  const tagging = [...roleStatements(EXAMPLE)].flatMap(([, statements]) =>
    statements.filter(({ Action }) => Action.includes('kms:TagResource')),
  );
  expect(tagging.length).toBe(1);
  for (const { Condition } of tagging)
    expect(Condition).toMatchObject({ Null: { 'kms:ResourceAliases': 'true' } });
});

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

/** Characters of all inline policies of a role at most, without blanks (IAM User Guide, "IAM and AWS STS quotas", 2025). */
const MAX_INLINE_POLICIES = 10_240;

test.each(VARIANTS)(
  'the policies of every role of %s fit into the role, with room for more',
  (_, synthesised) => {
    for (const [role, statements] of roleStatements(synthesised))
      expect(JSON.stringify(statements).length, role).toBeLessThan(0.8 * MAX_INLINE_POLICIES);
  },
);

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
