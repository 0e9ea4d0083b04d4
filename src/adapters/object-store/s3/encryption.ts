import type { PutObjectCommandInput } from '@aws-sdk/client-s3';

/** How the store encrypts what it keeps. `bucket`: as the bucket is set, which on Amazon S3 is SSE-S3 at least. */
export type Encryption =
  | { readonly kind: 'bucket' }
  | { readonly kind: 's3' }
  /** With the account's own S3 key when `keyId` is null; one call of KMS a bucket and day, not one an object. */
  | { readonly kind: 'kms'; readonly keyId: string | null };

/** What a write says of it. */
export function encryptionOf(
  encryption: Encryption,
): Pick<PutObjectCommandInput, 'ServerSideEncryption' | 'SSEKMSKeyId' | 'BucketKeyEnabled'> {
  if (encryption.kind === 'bucket') return {};
  if (encryption.kind === 's3') return { ServerSideEncryption: 'AES256' };
  return {
    ServerSideEncryption: 'aws:kms',
    BucketKeyEnabled: true,
    ...(encryption.keyId !== null && { SSEKMSKeyId: encryption.keyId }),
  };
}

/** The same as fields of a posted form. */
export function encryptionFields(encryption: Encryption): Record<string, string> {
  if (encryption.kind === 'bucket') return {};
  if (encryption.kind === 's3') return { 'x-amz-server-side-encryption': 'AES256' };
  return {
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-bucket-key-enabled': 'true',
    ...(encryption.keyId !== null && { 'x-amz-server-side-encryption-aws-kms-key-id': encryption.keyId }),
  };
}
