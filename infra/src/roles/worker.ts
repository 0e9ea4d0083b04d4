import type { Role } from 'aws-cdk-lib/aws-iam';
import { DOCUMENTS_PREFIX, UPLOADS_PREFIX } from '../buckets/prefixes.ts';
import { allow, grantObjectKeys, grantPrefixes, READ, REMOVE, type Resources, WRITE } from './grants.ts';

/**
 * A worker turns uploads into photos, scans documents, archives and restores, reconciles rows with objects, sweeps what
 * died half-way, takes the bucket's events and looks after the CDN. It signs nothing for anybody.
 */
export function grantWorker(role: Role, resources: Resources): void {
  const restore = 's3:RestoreObject';
  grantPrefixes(role, resources.bucketArn, {
    [UPLOADS_PREFIX]: [...READ, ...REMOVE, 's3:AbortMultipartUpload'],
    'items/': [...READ, ...WRITE, ...REMOVE, restore],
    'profiles/': [...READ, ...WRITE, ...REMOVE],
    'quarantine/': [...READ, ...WRITE, ...REMOVE],
    [DOCUMENTS_PREFIX]: [...READ, ...WRITE, ...REMOVE, restore],
  });
  grantPrefixes(role, resources.replicaArn, {
    'items/': [...READ, ...REMOVE],
    'profiles/': [...READ, ...REMOVE],
    'quarantine/': [...READ, ...REMOVE],
    [DOCUMENTS_PREFIX]: [...READ, ...REMOVE],
  });
  allow(role, ['s3:ListBucketMultipartUploads'], resources.bucketArn);
  allow(role, ['kms:Encrypt', 'kms:Decrypt'], resources.documentsKeyArn);
  allow(
    role,
    ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'],
    resources.arrivalsArn,
  );
  allow(
    role,
    [
      'cloudfront:CreateInvalidation',
      'cloudfront:GetInvalidation',
      'cloudfront:GetDistributionConfig',
      'cloudfront:UpdateDistribution',
    ],
    resources.distributionArn,
  );
  grantObjectKeys(role, resources.objectKeys);
}
