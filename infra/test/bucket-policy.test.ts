import { expect, test } from 'vitest';
import { bucketPolicy } from '../../src/domain/bucket-policy.ts';
import { bucketStatements, STATEMENT } from './support/statements.ts';
import { EXAMPLE, VARIANTS } from './support/variants.ts';

test.each(VARIANTS)(
  'bucket policies of %s allow nobody but services of AWS, on our behalf only',
  (_, synthesised) => {
    const allowed = bucketStatements(synthesised).filter(({ Effect }) => Effect === 'Allow');
    expect(allowed.length).toBeGreaterThan(0);
    for (const { Principal, Condition } of allowed) {
      expect(Principal).toHaveProperty('Service');
      const keys = Object.values(Condition ?? {}).flatMap((condition) => Object.keys(condition));
      expect(keys.map((key) => key.toLowerCase())).toContain('aws:sourcearn');
    }
  },
);

test('CloudFront reads the public prefixes and reviewers’ views, for this distribution, nothing else and nothing withheld', () => {
  const forCloudFront = bucketStatements(EXAMPLE).filter(
    ({ Principal }) =>
      Principal && 'Service' in Principal && Principal.Service === 'cloudfront.amazonaws.com',
  );
  const bucket = `arn:aws:s3:::${EXAMPLE.names.bucket}`;
  expect(forCloudFront).toEqual([
    expect.objectContaining({
      Effect: 'Allow',
      Action: ['s3:GetObject'],
      Resource: [`${bucket}/items/*`, `${bucket}/profiles/*`, `${bucket}/quarantine/view/*`],
      Condition: {
        StringEquals: { 'AWS:SourceArn': 'arn:aws:cloudfront::111122223333:distribution/<Distribution>' },
      },
    }),
    expect.objectContaining({
      Effect: 'Deny',
      Action: ['s3:GetObject'],
      Resource: [`${bucket}/items/*`, `${bucket}/profiles/*`],
      Condition: { StringEquals: { 's3:ExistingObjectTag/localex-withheld': 'yes' } },
    }),
  ]);
});

test('uploads and documents are for the roles of the service alone, in both regions', () => {
  const roles = ['web', 'worker', 'replication'].map(
    (role) => `arn:aws:iam::111122223333:role/localex-storage-${role}`,
  );
  const prefixes = ['temp/', 'quarantine/raw/', 'verification/', 'audit/'];
  for (const bucket of [EXAMPLE.names.bucket, EXAMPLE.names.replicaBucket])
    expect(bucketStatements(EXAMPLE)).toContainEqual(
      expect.objectContaining({
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Action: ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject', 's3:RestoreObject'],
        Resource: prefixes.map((prefix) => `arn:aws:s3:::${bucket}/${prefix}*`),
        Condition: { ArnNotEquals: { 'aws:PrincipalArn': roles } },
      }),
    );
});

test('the heads of the audit ledger are removed by nobody, in neither region', () => {
  for (const bucket of [EXAMPLE.names.bucket, EXAMPLE.names.replicaBucket])
    expect(bucketStatements(EXAMPLE)).toContainEqual({
      Effect: 'Deny',
      Principal: { AWS: '*' },
      Action: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
      Resource: [`arn:aws:s3:::${bucket}/audit/*`],
    });
});

test('the service’s own policy for its buckets stands in both regions, word for word', () => {
  for (const [bucket, distributionArn] of [
    [EXAMPLE.names.bucket, 'arn:aws:cloudfront::111122223333:distribution/<Distribution>'],
    [EXAMPLE.names.replicaBucket, null],
  ] as const) {
    const own = bucketPolicy({
      bucketArn: `arn:aws:s3:::${bucket}`,
      distributionArn,
      encryption: 'AES256',
      maxSignatureAgeSeconds: 3600,
    });
    expect(bucketStatements(EXAMPLE)).toEqual(
      expect.arrayContaining(own.Statement.map((said) => STATEMENT.parse(said))),
    );
  }
});
