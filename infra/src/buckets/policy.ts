import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { bucketPolicy } from '../../../src/domain/bucket-policy.ts';
import { PREFIXES, PRIVATE_PREFIXES } from '../../../src/domain/keys.ts';
import type { Settings } from '../settings.ts';

interface PolicyProps {
  /** The one distribution that reads what it serves; null for the replica, which nobody but the service reads. */
  readonly distributionArn: string | null;
  /** The only principals that may touch uploads, documents and the ledger's heads. */
  readonly roleArns: readonly string[];
}

/**
 * The service's own policy for its buckets, and what only an account can say: that uploads and documents are kept from everybody but
 * the named roles, whatever their own policies allow, and that heads of the audit ledger stay.
 *
 * Nobody but the roles may list: to CloudFront S3 answers 403 for an object that is not there, so the CDN does not tell which keys
 * exist. (CloudFront Developer Guide, "Restrict access to an Amazon S3 origin", 2025.)
 */
export function protect(
  bucket: Bucket,
  settings: Settings,
  { distributionArn, roleArns }: PolicyProps,
): void {
  const { Statement } = bucketPolicy({
    bucketArn: bucket.bucketArn,
    distributionArn,
    encryption: settings.encryption === 'kms' ? 'aws:kms' : 'AES256',
    maxSignatureAgeSeconds: settings.signedUrlMaxSeconds,
  });
  for (const statement of Statement) bucket.addToResourcePolicy(PolicyStatement.fromJson(statement));
  keepPrivate(bucket, roleArns);
}

function keepPrivate(bucket: Bucket, roleArns: readonly string[]): void {
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: 'UploadsAndDocumentsForTheServiceOnly',
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject', 's3:RestoreObject'],
      resources: PRIVATE_PREFIXES.map((prefix) => bucket.arnForObjects(`${prefix}*`)),
      conditions: { ArnNotEquals: { 'aws:PrincipalArn': roleArns } },
    }),
  );
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: 'HeadsOfTheLedgerStay',
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
      resources: [bucket.arnForObjects(`${PREFIXES.audit}*`)],
    }),
  );
}
