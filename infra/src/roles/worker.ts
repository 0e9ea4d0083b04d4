import { Validations } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import { PREFIXES } from '../../../src/domain/keys.ts';
import { EDGE_LOGS_PREFIX } from '../delivery/access-logs.ts';
import type { Settings } from '../settings.ts';
import {
  allow,
  grantObjectKeys,
  grantPrefixes,
  LOOK_BACK,
  READ,
  REMOVE,
  type Resources,
  WRITE,
} from './grants.ts';
import { grantDocumentKeys, grantKeyRotation } from './keys.ts';

/**
 * A worker turns uploads into photos, scans documents, archives and restores, reconciles rows with objects, sweeps what
 * died half-way, mends what was changed behind our back, takes the bucket's events, anchors the ledger, has photos looked at,
 * counts views from CloudFront's log and looks after CloudFront and the wrapping keys.
 */
export function grantWorker(role: Role, settings: Settings, resources: Resources): void {
  const everything = [...READ, ...WRITE, ...REMOVE];
  grantPrefixes(role, resources.bucketArn, {
    [PREFIXES.temporary]: everything,
    [PREFIXES.items]: [...everything, ...LOOK_BACK, 's3:RestoreObject'],
    [PREFIXES.profiles]: [...everything, ...LOOK_BACK],
    [PREFIXES.quarantine]: [...everything, ...LOOK_BACK],
    [PREFIXES.documents]: [...everything, ...LOOK_BACK, 's3:RestoreObject'],
    // An upload that is begun and aborted shows at the start that heads can be written.
    [PREFIXES.audit]: [...READ, 's3:PutObject', 's3:AbortMultipartUpload'],
  });
  grantPrefixes(role, resources.replicaArn, {
    [PREFIXES.items]: [...READ, ...LOOK_BACK, ...REMOVE],
    [PREFIXES.profiles]: [...READ, ...LOOK_BACK, ...REMOVE],
    [PREFIXES.quarantine]: [...READ, ...LOOK_BACK, ...REMOVE],
    [PREFIXES.documents]: [...READ, ...LOOK_BACK, ...REMOVE],
  });
  allow(role, ['s3:ListBucketMultipartUploads'], resources.bucketArn);
  allow(
    role,
    ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'],
    resources.arrivalsArn,
  );
  grantDelivery(role, settings, resources.distributionArn);
  allow(role, ['s3:ListBucket'], resources.edgeLogsArn);
  grantPrefixes(role, resources.edgeLogsArn, { [`${EDGE_LOGS_PREFIX}/`]: ['s3:GetObject'] });
  // Has no narrower resource (Service Authorization Reference, "Amazon Rekognition", 2025).
  allow(role, ['rekognition:DetectModerationLabels'], '*');
  grantDocumentKeys(role, settings);
  grantKeyRotation(role, settings);
  grantObjectKeys(role, resources.objectKeys);
}

/** Purges, and the settings of the distribution that the service changes: countries, names, cache policies by prefix. */
function grantDelivery(role: Role, { account }: Settings, distributionArn: string): void {
  const policies = `arn:aws:cloudfront::${account}:cache-policy/*`;
  allow(
    role,
    [
      'cloudfront:CreateInvalidation',
      'cloudfront:GetInvalidation',
      'cloudfront:GetDistributionConfig',
      'cloudfront:UpdateDistribution',
    ],
    distributionArn,
  );
  allow(
    role,
    ['cloudfront:CreateCachePolicy', 'cloudfront:GetCachePolicy', 'cloudfront:UpdateCachePolicy'],
    policies,
  );
  // Has no narrower resource (Service Authorization Reference, "Amazon CloudFront", 2025).
  allow(role, ['cloudfront:ListCachePolicies'], '*');
  Validations.of(role).acknowledge({
    id: `AwsSolutions::AwsSolutions-IAM5[Resource::${policies}]`,
    reason: 'A cache policy gets its id from CloudFront when the service makes it.',
  });
}
