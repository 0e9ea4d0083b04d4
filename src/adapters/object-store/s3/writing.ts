import { HeadObjectCommand, type PutObjectCommandInput } from '@aws-sdk/client-s3';
import { isStorageError, StorageError } from '../../../domain/errors.ts';
import type { ObjectKey } from '../../../domain/keys.ts';
import type { PutOptions } from '../../../ports/object-store.ts';
import { type Bucket, sending } from './bucket.ts';
import { describe } from './describe.ts';
import { encryptionOf } from './encryption.ts';
import { encodeMetadata, WRITE_ID } from './metadata.ts';
import { tagging } from './tags.ts';

/** What one call of `put` works with. */
export interface Writing {
  readonly bucket: Bucket;
  readonly key: ObjectKey;
  readonly options: PutOptions;
  /** What is said about the object, whether it goes in one request or in parts. */
  readonly described: ReturnType<typeof describedBy>;
  readonly writeId: string;
}

/** What the store tells of a finished write. */
export interface Written {
  readonly bytes: number;
  readonly etag: string;
}

/**
 * A write that was repeated may find its own work: the first answer was lost, and the second says that the key is taken,
 * or that the upload is no more. Then the object names this very call.
 */
export async function knowingOwnWork(
  { bucket, key, options, writeId }: Writing,
  work: (noteAttempt: (attempt: number) => void) => Promise<Written>,
): Promise<Written> {
  let attempts = 0;
  try {
    return await work((attempt) => {
      attempts = attempt;
    });
  } catch (error) {
    if (attempts < 2 || !isStorageError(error)) throw error;
    const found = await stored(bucket, key, options.signal).catch(() => null);
    if (found === null || found.writeId !== writeId) throw error;
    return found;
  }
}

/** What lies under the key now. Errors: NOT_FOUND. */
export async function stored(
  bucket: Bucket,
  key: ObjectKey,
  signal?: AbortSignal,
): Promise<Written & { writeId: string | undefined }> {
  const head = await bucket.request(
    () => bucket.client.send(new HeadObjectCommand({ Bucket: bucket.name, Key: key }), sending(signal)),
    { signal, patienceMs: bucket.patience.readMs },
  );
  const { etag, bytes } = describe(key, head, head.ContentLength ?? 0);
  return { etag, bytes, writeId: head.Metadata?.[WRITE_ID] };
}

/** Errors: UPLOAD_MISMATCH. */
export function assertAnnounced(bytes: number, { contentLength }: PutOptions): void {
  if (contentLength !== undefined && contentLength !== bytes)
    throw new StorageError('UPLOAD_MISMATCH', undefined, { details: { announced: contentLength, bytes } });
}

/** What a request says about the object that it begins. */
export function describedBy(bucket: Bucket, options: PutOptions, writeId: string) {
  return {
    ContentType: options.contentType,
    Metadata: { ...encodeMetadata(options.metadata ?? {}), [WRITE_ID]: writeId },
    ...(options.cacheControl !== undefined && { CacheControl: options.cacheControl }),
    ...(options.storageClass !== undefined && { StorageClass: options.storageClass }),
    ...(options.tags !== undefined && { Tagging: tagging(options.tags) }),
    ...encryptionOf(bucket.encryption),
  } satisfies Partial<PutObjectCommandInput>;
}
