import type { Readable } from 'node:stream';
import { updateFile } from '../../db/files.ts';
import type { FileRow } from '../../db/schema.ts';
import { StorageError } from '../../domain/errors.ts';
import { type FileId, fileId } from '../../domain/ids.ts';
import { type ObjectKey, uploadKey } from '../../domain/keys.ts';
import type { ServiceDeps } from '../deps.ts';
import { undo } from '../removal.ts';
import { assertLength, assertSha256 } from './announced.ts';

/** What has arrived. */
export interface StoredUpload {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  readonly etag: string;
  /** Size of the object, where it is not that of the upload: documents are encrypted on the way. */
  readonly objectBytes?: number;
}

/**
 * Streams the bytes of a reserved file to its temporary object. More than the limit stops at once with FILE_TOO_LARGE;
 * no bytes at all is INVALID_IMAGE. The row is not touched: `noteUpload` or `complete` do that.
 */
export async function receive(
  deps: Pick<ServiceDeps, 'storage' | 'limits'>,
  file: FileRow,
  body: Readable | Uint8Array,
  signal?: AbortSignal,
): Promise<StoredUpload> {
  const id: FileId = fileId(file.id);
  const stored = await deps.storage.uploadFile(body, {
    key: uploadKey(id),
    contentType: 'application/octet-stream',
    access: 'private',
    maxBytes: deps.limits.maxFileSize,
    ...(signal === undefined ? {} : { signal }),
  });
  if (stored.bytes === 0) throw new StorageError('INVALID_IMAGE', 'The file is empty.');
  assertLength(file, stored.bytes, deps.limits.maxFileSize);
  assertSha256(file, stored.sha256);
  return stored;
}

/** Notes what has arrived under that key. CONFLICT when the file has moved on: then the bytes go again. */
export async function noteUpload(
  deps: Pick<ServiceDeps, 'db'>,
  id: string,
  key: ObjectKey,
  stored: StoredUpload,
): Promise<void> {
  const noted = await updateFile(deps.db, { id, from: 'pending' }, uploadColumns(stored));
  if (noted !== null) return;
  await undo(deps.db, id, [key]);
  throw new StorageError('CONFLICT', 'The upload was completed or removed meanwhile.');
}

/** What has arrived, as the row keeps it. */
export function uploadColumns(stored: StoredUpload) {
  return { upload_bytes: stored.bytes, upload_sha256: stored.sha256, upload_etag: stored.etag };
}
