import { GetObjectCommand } from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { ObjectKey } from '../../../domain/keys.ts';
import type { PresignedPost } from '../../../ports/object-store.ts';
import type { Bucket } from './bucket.ts';
import { encryptionFields } from './encryption.ts';

/**
 * Made here, without a request. Works no longer than the credentials that signed it, which those of a role may end before
 * `expiresInSeconds`.
 */
export function signGetUrl(bucket: Bucket, key: ObjectKey, expiresInSeconds: number): Promise<string> {
  return getSignedUrl(bucket.client, new GetObjectCommand({ Bucket: bucket.name, Key: key }), {
    expiresIn: expiresInSeconds,
  });
}

/** S3 checks every field against the signed policy: exactly this key and type, 1 to `maxBytes` bytes. */
export function signPostForm(
  bucket: Bucket,
  key: ObjectKey,
  policy: { contentType: string; maxBytes: number; expiresInSeconds: number },
): Promise<PresignedPost> {
  return createPresignedPost(bucket.client, {
    Bucket: bucket.name,
    Key: key,
    Fields: { 'Content-Type': policy.contentType, ...encryptionFields(bucket.encryption) },
    Conditions: [
      ['eq', '$key', key],
      ['eq', '$Content-Type', policy.contentType],
      ['content-length-range', 1, policy.maxBytes],
    ],
    Expires: policy.expiresInSeconds,
  });
}
