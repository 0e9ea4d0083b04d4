import { createHash } from 'node:crypto';
import { isStorageError } from '../../domain/errors.ts';
import type { ObjectKey } from '../../domain/keys.ts';
import { askForRestored } from '../lifecycle/restore.ts';
import type { StorageService } from '../storage.service.ts';

/** Bytes as they lie in the store now. */
export interface StoredBytes {
  /** whole: they have the hash of the row, or no row knows one · altered: they have another. */
  readonly is: 'whole' | 'altered';
  readonly key: ObjectKey;
  readonly etag: string;
  readonly sha256: string;
}

/** restoring: they are archived, and the store is bringing them back. */
export type Original = StoredBytes | { readonly is: 'missing' } | { readonly is: 'restoring' };

/**
 * Reads an original to its end and compares it with `sha256`; an archived one is asked for. What is not there any more is
 * looked for at `to`, where a move that died may have brought it. Errors: those of the store.
 */
export async function readOriginal(
  storage: StorageService,
  { from, to, sha256 }: { readonly from: ObjectKey; readonly to: ObjectKey; readonly sha256: string | null },
): Promise<Original> {
  const original = await readAt(storage, from, sha256);
  return original.is === 'missing' ? readAt(storage, to, sha256) : original;
}

async function readAt(storage: StorageService, key: ObjectKey, sha256: string | null): Promise<Original> {
  try {
    return await read(storage, key, sha256);
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND')) return { is: 'missing' };
    if (!isStorageError(error, 'OBJECT_ARCHIVED')) throw error;
  }
  const status = await askForRestored({ storage }, key);
  return status === 'archived' || status === 'restoring' ? { is: 'restoring' } : read(storage, key, sha256);
}

async function read(storage: StorageService, key: ObjectKey, sha256: string | null): Promise<StoredBytes> {
  const { body, info } = await storage.downloadFile(key);
  const hash = createHash('sha256');
  for await (const chunk of body) hash.update(chunk);
  const found = hash.digest('hex');
  return {
    is: sha256 === null || found === sha256 ? 'whole' : 'altered',
    key,
    etag: info.etag,
    sha256: found,
  };
}
