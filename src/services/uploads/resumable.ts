import type { Readable } from 'node:stream';
import { findFile } from '../../db/files.ts';
import type { FileRow } from '../../db/schema.ts';
import { StorageError } from '../../domain/errors.ts';
import type { FileId } from '../../domain/ids.ts';
import type { UploadProgress } from '../contracts.ts';
import type { ServiceDeps } from '../deps.ts';
import { lengthOf, listParts, storeParts } from './parts.ts';

type Deps = Pick<ServiceDeps, 'db' | 'storage'>;

/** How far the bytes of a reservation are. NOT_FOUND. */
export async function uploadProgress(deps: Deps, id: FileId): Promise<UploadProgress> {
  const { bytes, ...file } = await reserved(deps, id);
  const offset = file.state === 'pending' ? lengthOf(await listParts(deps, id)) : bytes;
  return { offset, bytes, filename: file.filename, type: file.claimed_type, createdAt: file.created_at };
}

/** Adds bytes to a reservation, in order. Returns the new offset. NOT_FOUND, CONFLICT. */
export async function appendUpload(deps: Deps, id: FileId, offset: number, body: Readable): Promise<number> {
  const { bytes, state } = await reserved(deps, id);
  const parts = state === 'pending' ? await listParts(deps, id) : null;
  if ((parts === null ? bytes : lengthOf(parts)) !== offset)
    throw new StorageError('CONFLICT', 'The upload stands at another offset.');
  return parts === null ? bytes : storeParts(deps, id, { offset, size: bytes, present: parts.length }, body);
}

async function reserved(deps: Deps, id: FileId): Promise<FileRow & { readonly bytes: number }> {
  const file = await findFile(deps.db, id);
  const isGone = file?.state === 'deleting' || file?.state === 'deleted';
  // What came whole in one request has no length that was announced for it.
  if (file === null || isGone || file.claimed_bytes === null)
    throw new StorageError('NOT_FOUND', 'There is no such upload.');
  return { ...file, bytes: file.claimed_bytes };
}
