import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { LEDGER_PREFIX, PRIVATE_PREFIXES, SERVED_PREFIXES } from './prefixes.ts';

/**
 * Lets CloudFront read what it serves, on behalf of one distribution only, and keeps everybody but the named roles away
 * from uploads and documents, whatever their own policies say. That only TLS is spoken is in the bucket itself.
 *
 * Without `s3:ListBucket`, S3 answers 403 for an object that is not there: nobody learns from the CDN which keys exist.
 * (CloudFront Developer Guide, "Restrict access to an Amazon S3 origin", 2025.)
 */
export function servePublicPrefixes(bucket: Bucket, distributionArn: string): void {
  bucket.addToResourcePolicy(
    new PolicyStatement({
      sid: 'DistributionReadsWhatItServes',
      principals: [new ServicePrincipal('cloudfront.amazonaws.com')],
      actions: ['s3:GetObject'],
      resources: SERVED_PREFIXES.map((prefix) => bucket.arnForObjects(`${prefix}*`)),
      conditions: { StringEquals: { 'aws:SourceArn': distributionArn } },
    }),
  );
}

/** @param roleArns the only principals that may touch uploads, documents and the ledger's heads */
export function keepPrivate(bucket: Bucket, roleArns: readonly string[]): void {
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
      resources: [bucket.arnForObjects(`${LEDGER_PREFIX}*`)],
    }),
  );
}
