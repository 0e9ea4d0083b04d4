import { isStorageError } from '../../domain/errors.ts';
import type { ObjectKey } from '../../domain/keys.ts';
import type { ObjectInfo } from '../../ports/object-store.ts';
import { askForRestored } from '../lifecycle/restore.ts';
import type { StorageService } from '../storage.service.ts';
import { readProven } from '../storage/proven.ts';

export interface Copied {
  readonly info: ObjectInfo;
  /** The bytes have the hash of the row. Without one nothing speaks against them. */
  readonly isProven: boolean;
}

/**
 * Copies an original within the store, the very bytes that were compared with `sha256`, into the class STANDARD. An
 * archived one cannot be copied: it is asked for, and `restoring` until the store has brought it back. What is not there
 * any more but has been copied before is as it was copied. Errors: NOT_FOUND, VERSION_CONFLICT, those of the store.
 */
export async function copyOriginal(
  storage: StorageService,
  original: { readonly from: ObjectKey; readonly to: ObjectKey; readonly sha256: string | null },
): Promise<Copied | 'restoring'> {
  const { from, to } = original;
  try {
    return await copy(storage, original);
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND')) return copiedBefore(storage, to, error);
    if (!isStorageError(error, 'OBJECT_ARCHIVED')) throw error;
  }
  const status = await askForRestored({ storage }, from);
  return status === 'archived' || status === 'restoring' ? 'restoring' : copy(storage, original);
}

async function copy(
  storage: StorageService,
  { from, to, sha256 }: { from: ObjectKey; to: ObjectKey; sha256: string | null },
): Promise<Copied> {
  const { etag, isProven } = await prove(storage, from, sha256);
  const info = await storage.copyFile(from, to, { storageClass: 'STANDARD', ifMatch: etag });
  return { info, isProven };
}

/** Which content it is, and whether that is the one that the row knows. */
async function prove(
  storage: StorageService,
  key: ObjectKey,
  sha256: string | null,
): Promise<{ readonly etag: string; readonly isProven: boolean }> {
  if (sha256 === null) return { etag: (await storage.fileInfo(key)).etag, isProven: true };
  try {
    const { etag } = await readProven(storage, { key, sha256 });
    return { etag, isProven: true };
  } catch (error) {
    if (!isStorageError(error, 'OBJECT_DAMAGED')) throw error;
    return { etag: (await storage.fileInfo(key)).etag, isProven: false };
  }
}

/** Only what was not proved is taken from its public key before that is written down. */
async function copiedBefore(storage: StorageService, to: ObjectKey, missing: unknown): Promise<Copied> {
  try {
    return { info: await storage.fileInfo(to), isProven: false };
  } catch (error) {
    throw isStorageError(error, 'NOT_FOUND') ? missing : error;
  }
}
