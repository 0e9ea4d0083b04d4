import { isStorageError } from '../../domain/errors.ts';
import { WITHHELD } from '../../domain/keys.ts';
import type { StorageService } from './types.ts';

/**
 * Has the CDN refused at a key, by a tag that the bucket's policy goes by: also of an archived object, which is not
 * touched. False for a store that knows no tags: what it holds is served by our own edge, which asks the rows. Errors:
 * those of the store.
 */
export async function withhold(
  storage: Pick<StorageService, 'fileTags' | 'tagFile'>,
  key: string,
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    const tags = await storage.fileTags(key, signal);
    if (tags[WITHHELD.name] !== WITHHELD.value)
      await storage.tagFile(key, { ...tags, [WITHHELD.name]: WITHHELD.value }, signal);
    return true;
  } catch (error) {
    if (isStorageError(error, 'UNSUPPORTED')) return false;
    throw error;
  }
}
