import type { Readable } from 'node:stream';
import { updateFile } from '../../db/files.ts';
import type { FileRow } from '../../db/schema.ts';
import { StorageError } from '../../domain/errors.ts';
import { type FileId, fileId } from '../../domain/ids.ts';
import { type ObjectKey, uploadKey } from '../../domain/keys.ts';
import type { ServiceDeps } from '../deps.ts';
import { undo } from '../removal.ts';

/** What has arrived. */
export interface StoredUpload {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  readonly etag: string;
}

/**
 * Streams the bytes of a reserved file to its temporary object. More than the limit stops at once with FILE_TOO_LARGE;
 * no bytes at all is INVALID_IMAGE. The row is not touched: `noteUpload` or `complete` do that.
 */
export async function receive(
  deps: Pick<ServiceDeps, 'storage' | 'limits'>,
  file: Pick<FileRow, 'id' | 'claimed_bytes' | 'claimed_sha256'>,
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
  if (file.claimed_bytes !== null && file.claimed_bytes !== stored.bytes) throw mismatch('length');
  if (file.claimed_sha256 !== null && file.claimed_sha256 !== stored.sha256) throw mismatch('hash');
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

function mismatch(what: string): StorageError {
  return new StorageError('UPLOAD_MISMATCH', `The ${what} of the file is not what was announced.`);
}
