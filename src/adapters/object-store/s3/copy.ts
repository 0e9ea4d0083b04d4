import { CopyObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { StorageError } from '../../../domain/errors.ts';
import type { ObjectKey } from '../../../domain/keys.ts';
import type { ObjectInfo, StorageClass } from '../../../ports/object-store.ts';
import { type Bucket, sending } from './bucket.ts';
import { describe, etagOf, incomplete, wholeLength } from './describe.ts';
import { encryptionOf } from './encryption.ts';
import { encodeMetadata } from './metadata.ts';

/** What the store knows of an object. */
export async function head(bucket: Bucket, key: ObjectKey, signal?: AbortSignal): Promise<ObjectInfo> {
  const answer = await bucket.request(
    () => bucket.client.send(new HeadObjectCommand({ Bucket: bucket.name, Key: key }), sending(signal)),
    { signal, patienceMs: bucket.patience.readMs },
  );
  return describe(key, answer, wholeLength(answer));
}

/**
 * Copies inside the bucket, up to S3's 5 GB. A copy is a new object to S3: class and encryption have to be said again, type,
 * metadata and tags go along; with another caching type and metadata are said again too. The copy is pinned to what was
 * described; should the source change between the two requests, VERSION_CONFLICT.
 */
export async function copy(
  bucket: Bucket,
  from: ObjectKey,
  to: ObjectKey,
  options: { storageClass?: StorageClass; cacheControl?: string; ifMatch?: string; signal?: AbortSignal },
): Promise<ObjectInfo> {
  const source = await head(bucket, from, options.signal);
  if (options.ifMatch !== undefined && options.ifMatch !== source.etag)
    throw new StorageError('VERSION_CONFLICT');
  const storageClass = options.storageClass ?? source.storageClass;
  const { CopyObjectResult } = await bucket.request(
    () =>
      bucket.client.send(
        new CopyObjectCommand({
          Bucket: bucket.name,
          Key: to,
          CopySource: `${bucket.name}/${from.split('/').map(encodeURIComponent).join('/')}`,
          CopySourceIfMatch: `"${source.etag}"`,
          StorageClass: storageClass,
          ...labelsOf(source, options.cacheControl),
          ...encryptionOf(bucket.encryption),
        }),
        sending(options.signal),
      ),
    { signal: options.signal, patienceMs: bucket.patience.writeMs },
  );
  if (CopyObjectResult === undefined) throw incomplete('CopyObjectResult');
  return {
    ...source,
    key: to,
    etag: etagOf(CopyObjectResult.ETag),
    storageClass,
    cacheControl: options.cacheControl ?? source.cacheControl,
    modifiedAt: CopyObjectResult.LastModified ?? bucket.clock.now(),
  };
}

/** S3 takes all of an object's labels from the source or none of them. */
function labelsOf(source: ObjectInfo, cacheControl: string | undefined) {
  if (cacheControl === undefined || cacheControl === source.cacheControl) return {};
  return {
    MetadataDirective: 'REPLACE',
    ContentType: source.contentType,
    Metadata: encodeMetadata(source.metadata),
    CacheControl: cacheControl,
  } as const;
}
