import { RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { Settings } from '../settings.ts';

/**
 * The key of a region's objects, for installations that want one of their own; null otherwise. CloudFront decrypts what it
 * serves; it is named by account, since the distribution's policy would else wait for the key and the key for it
 * (CloudFront Developer Guide, "Restrict access to an Amazon S3 origin", SSE-KMS, 2025).
 */
export function objectKey(scope: Construct, { name, account, encryption }: Settings): IKey | null {
  if (encryption === 's3') return null;
  const key = new Key(scope, 'ObjectKey', {
    alias: `${name}-objects`,
    description: `Objects of ${name}`,
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'DistributionDecrypts',
      principals: [new ServicePrincipal('cloudfront.amazonaws.com')],
      actions: ['kms:Decrypt'],
      resources: ['*'],
      conditions: { ArnLike: { 'aws:SourceArn': `arn:aws:cloudfront::${account}:distribution/*` } },
    }),
  );
  return key;
}
