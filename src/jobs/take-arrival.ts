import { lockFile } from '../db/files.ts';
import { listObjects } from '../db/objects.ts';
import { isStorageError } from '../domain/errors.ts';
import type { FileId } from '../domain/ids.ts';
import { parseUploadKey, uploadKey } from '../domain/keys.ts';
import type { ServiceDeps } from '../services/deps.ts';
import { complete } from '../services/uploads/complete.ts';

type Deps = Pick<ServiceDeps, 'db' | 'storage' | 'clock' | 'limits' | 'log'>;

/**
 * Somebody tells that an object has arrived: the upload of that key is completed, as if its client had said so. Told again,
 * late, or of a key that is no upload, nothing happens but that what nobody waits for is removed. Throws only what may
 * succeed later.
 */
export async function takeArrival(deps: Deps, key: string): Promise<void> {
  const id = parseUploadKey(key);
  if (id === null) return;
  try {
    await complete(deps, id);
  } catch (error) {
    // Refused, not all there, or gone: its client is told when it asks.
    if (!isStorageError(error) || error.retryable) throw error;
  }
  await removeLate(deps, id);
}

/** Removes what came under the key of an upload after it was over. What a row names is left to whoever wrote the row. */
export async function removeLate(deps: Pick<Deps, 'db' | 'storage'>, id: FileId): Promise<void> {
  const key = uploadKey(id);
  await deps.db.transaction().execute(async (trx) => {
    const file = await lockFile(trx, id);
    if (file === null || file.state === 'pending') return;
    if ((await listObjects(trx, id)).some((object) => object.key === key)) return;
    await deps.storage.deleteFile(key);
  });
}
