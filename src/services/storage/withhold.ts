import { isStorageError } from '../../domain/errors.ts';
import { WITHHELD } from '../../domain/keys.ts';
import type { ObjectTags } from '../../ports/object-store.ts';
import type { StorageService } from './types.ts';

type Tagged = Pick<StorageService, 'fileTags' | 'tagFile'>;

/**
 * Has the CDN refused at a public key, by a tag that the bucket's policy goes by: also of an archived object, whose bytes
 * are not touched. False for a store that knows no tags: what it holds is served by our own edge, which asks the rows.
 * Errors: those of the store.
 */
export async function withhold(storage: Tagged, key: string, signal?: AbortSignal): Promise<boolean> {
  return retag(storage, key, (tags) => ({ ...tags, [WITHHELD.name]: WITHHELD.value }), signal);
}

/** A copy has the tags of what it was made of: takes this one back, so that a further copy can be published. */
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
