import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import { type ObjectKey, objectKey } from '../../domain/keys.ts';
import type { ObjectInfo, ObjectStore, PutOptions } from '../../ports/object-store.ts';
import { accessOf, cacheControlOf } from './caching.ts';
import type { Retry } from './calls.ts';
import { assertTags } from './tags.ts';
import type { ObjectAccess, UploadedFile, UploadMetadata, UploadSource } from './types.ts';
import { uploadBody } from './upload-body.ts';

/** Validates, then streams the file in, hashing it; repeats the call where the bytes can be sent again. */
export async function uploadTo(
  store: ObjectStore,
  file: UploadSource,
  metadata: UploadMetadata,
  retry: Retry,
): Promise<UploadedFile> {
  try {
    return await upload(store, file, metadata, retry);
  } catch (error) {
    // A source that nobody began to read is not let go by reading.
    if (file instanceof Readable) file.destroy();
    throw error;
  }
}

async function upload(
  store: ObjectStore,
  file: UploadSource,
  metadata: UploadMetadata,
  retry: Retry,
): Promise<UploadedFile> {
  const key = objectKey(metadata.key);
  const access = checkedAccess(key, metadata.access);
  if (metadata.tags !== undefined) {
    assertTags(metadata.tags);
    if (!store.capabilities.supportsTags) throw new StorageError('UNSUPPORTED');
  }
  const body = uploadBody(file, metadata);
  const uploadId = metadata.ifNoneMatch && body.canRepeat() ? randomUUID() : undefined;
  const options = putOptions(metadata, uploadId);
  let sha256 = '';
  const info = await retry(async (number) => {
    const attempt = body.attempt();
    try {
      return await store.put(key, attempt.body, {
        ...options,
        sha256: attempt.sha256,
        ...(attempt.contentLength !== undefined && { contentLength: attempt.contentLength }),
      });
    } catch (error) {
      const own =
        number > 1 && isStorageError(error, 'ALREADY_EXISTS') ? await ownObject(store, key, uploadId) : null;
      if (own === null) throw error;
      return own;
    } finally {
      // The attempt that made the object may be an earlier one, whose answer was lost.
      sha256 = attempt.sha256() || sha256;
    }
  }, body.canRepeat);
  if (file instanceof Uint8Array) metadata.onProgress?.({ sentBytes: file.length, totalBytes: file.length });
  return { ...info, sha256, access };
}

/** Metadata that marks an object with the call that made it, so that a repeated create knows its own work. */
const UPLOAD_ID = 'upload-id';

function checkedAccess(key: ObjectKey, wanted: ObjectAccess | undefined): ObjectAccess {
  const access = accessOf(key);
  if (wanted !== undefined && wanted !== access)
    throw new StorageError('INVALID_REQUEST', `A ${wanted} file cannot have this key.`, { details: { key } });
  return access;
}

function putOptions(metadata: UploadMetadata, uploadId: string | undefined): PutOptions {
  const {
    key,
    contentType,
    cacheControl = cacheControlOf(key),
    storageClass,
    tags,
    ifNoneMatch,
    signal,
  } = metadata;
  return {
    contentType,
    cacheControl,
    metadata: { ...metadata.metadata, ...(uploadId !== undefined && { [UPLOAD_ID]: uploadId }) },
    ...(storageClass !== undefined && { storageClass }),
    ...(tags !== undefined && { tags }),
    ...(ifNoneMatch !== undefined && { ifNoneMatch }),
    ...(signal !== undefined && { signal }),
  };
}

async function ownObject(
  store: ObjectStore,
  key: ObjectKey,
  uploadId: string | undefined,
): Promise<ObjectInfo | null> {
  const info = await store.head(key);
  return uploadId !== undefined && info.metadata[UPLOAD_ID] === uploadId ? info : null;
}
