import { isStorageError } from '../../domain/errors.ts';
import { WITHHELD } from '../../domain/keys.ts';
import type { ObjectTags } from '../../ports/object-store.ts';
import type { StorageService } from './types.ts';

type Tagged = Pick<StorageService, 'fileTags' | 'tagFile'>;

/**
 * Has CloudFront refused at a public key, by a tag that the bucket's policy goes by: also of an archived object, whose bytes
 * are not touched. Our own edge asks the rows instead (`db/served.ts`), and needs no tag. False for a store that knows none:
 * CloudFront does not stand before such a store. Errors: those of the store.
 */
export async function withhold(storage: Tagged, key: string, signal?: AbortSignal): Promise<boolean> {
  return retag(storage, key, (tags) => ({ ...tags, [WITHHELD.name]: WITHHELD.value }), signal);
}

/** As `withhold`; what is not there needs nothing. */
export async function withholdIfThere(storage: Tagged, key: string, signal?: AbortSignal): Promise<void> {
  try {
    await withhold(storage, key, signal);
  } catch (error) {
    if (!isStorageError(error, 'NOT_FOUND')) throw error;
  }
}

/** Takes the tag back: of what may be read again, or of a copy, which has the tags of what it was made of. */
export async function stopWithholding(storage: Tagged, key: string, signal?: AbortSignal): Promise<void> {
  const others = (tags: ObjectTags) => Object.entries(tags).filter(([name]) => name !== WITHHELD.name);
  await retag(storage, key, (tags) => Object.fromEntries(others(tags)), signal);
}

async function retag(
  storage: Tagged,
  key: string,
  change: (tags: ObjectTags) => ObjectTags,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    const tags = await storage.fileTags(key, signal);
    const changed = change(tags);
    if (changed[WITHHELD.name] !== tags[WITHHELD.name]) await storage.tagFile(key, changed, signal);
    return true;
  } catch (error) {
    if (isStorageError(error, 'UNSUPPORTED')) return false;
    throw error;
  }
}
