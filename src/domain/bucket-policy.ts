import { PUBLIC_PREFIXES, SIGNED_PREFIX, WITHHELD } from './keys.ts';

export interface BucketPolicyOptions {
  /** `arn:aws:s3:::name` */
  readonly bucketArn: string;
  /** The CloudFront distribution before the bucket; null where nobody but the service reads it (a replica). */
  readonly distributionArn: string | null;
  /** How objects are encrypted; another wish is refused. */
  readonly encryption: 'AES256' | 'aws:kms';
  /** Presigned URLs older than this are refused, whatever they allow themselves. Seconds. */
  readonly maxSignatureAgeSeconds: number;
}

export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal: '*' | Readonly<Record<string, string>>;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface BucketPolicy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly PolicyStatement[];
}

/**
 * The policy of a bucket. Nothing is public: the one thing allowed is CloudFront's origin access control, for this one
 * distribution, for the prefixes that the edge may read. The service's own roles have their rights from IAM; what is
 * denied here is denied to them too.
 *
 * Keys and their meaning: Amazon S3 User Guide, "Bucket policy examples" and "Amazon S3 policy keys for authentication
 * with Signature Version 4"; CloudFront Developer Guide, "Restrict access to an Amazon S3 origin" (2025).
 */
export function bucketPolicy(options: BucketPolicyOptions): BucketPolicy {
  const { bucketArn, distributionArn, encryption, maxSignatureAgeSeconds } = options;
  const everything = [bucketArn, `${bucketArn}/*`];
  const objects = `${bucketArn}/*`;
  const deny = (
    Sid: string,
    Action: string,
    Resource: string | readonly string[],
    Condition: NonNullable<PolicyStatement['Condition']>,
  ): PolicyStatement => ({ Sid, Effect: 'Deny', Principal: '*', Action, Resource, Condition });

  return {
    Version: '2012-10-17',
    Statement: [
      deny('DenyWithoutTls', 's3:*', everything, { Bool: { 'aws:SecureTransport': 'false' } }),
      deny('DenyOldTls', 's3:*', everything, { NumericLessThan: { 's3:TlsVersion': '1.2' } }),
      deny('DenyAnonymous', 's3:*', everything, { StringEquals: { 'aws:PrincipalType': 'Anonymous' } }),
      deny('DenyOldSignatures', 's3:*', everything, { StringEquals: { 's3:signatureversion': 'AWS' } }),
      deny('DenyStaleUrls', 's3:*', objects, {
        NumericGreaterThan: { 's3:signatureAge': String(maxSignatureAgeSeconds * 1000) },
        StringEquals: { 's3:authType': 'REST-QUERY-STRING' },
      }),
      // Without a wish the bucket's own encryption is used: only another wish is refused.
      deny('DenyOtherEncryption', 's3:PutObject', objects, {
        StringNotEquals: { 's3:x-amz-server-side-encryption': encryption },
        Null: { 's3:x-amz-server-side-encryption': 'false' },
      }),
      // The one value that the field has. By `Null`, as the User Guide has it, Ceph 16 denies every put.
      deny('DenyCustomerKeys', 's3:PutObject', objects, {
        StringEquals: { 's3:x-amz-server-side-encryption-customer-algorithm': 'AES256' },
      }),
      ...(distributionArn === null
        ? []
        : [readByCloudFront(bucketArn, distributionArn), refuseWithheld(bucketArn)]),
    ],
  };
}

function readByCloudFront(bucketArn: string, distributionArn: string): PolicyStatement {
  return {
    Sid: 'AllowCloudFrontToRead',
    Effect: 'Allow',
    Principal: { Service: 'cloudfront.amazonaws.com' },
    Action: 's3:GetObject',
    Resource: [...PUBLIC_PREFIXES, SIGNED_PREFIX].map((prefix) => `${bucketArn}/${prefix}*`),
    Condition: { StringEquals: { 'AWS:SourceArn': distributionArn } },
  };
}

/** Every distribution: what is withheld is public nowhere. The service itself reads it on. */
function refuseWithheld(bucketArn: string): PolicyStatement {
  return {
    Sid: 'DenyWithheld',
    Effect: 'Deny',
    Principal: { Service: 'cloudfront.amazonaws.com' },
    Action: 's3:GetObject',
    Resource: PUBLIC_PREFIXES.map((prefix) => `${bucketArn}/${prefix}*`),
    Condition: { StringEquals: { [`s3:ExistingObjectTag/${WITHHELD.name}`]: WITHHELD.value } },
  };
}
