import { createPostgresPhotoIndex } from '../adapters/search/postgres.ts';
import type { Database } from '../db/schema.ts';
import { isStorageError } from '../domain/errors.ts';
import type { Log } from '../ports/log.ts';
import type { PhotoIndex } from '../ports/search.ts';

/**
 * The search index that the configuration names, ready to be asked. One that does not answer is no reason not to start: it
 * is prepared by the feed, once it does. Errors: INVALID_CONFIGURATION when what is there was not made by this service.
 */
export async function createPhotoIndex(db: Database, log: Log): Promise<PhotoIndex> {
  const index = createPostgresPhotoIndex({ db });
  try {
    await index.prepare();
  } catch (error) {
    if (!isStorageError(error, 'SEARCH_UNAVAILABLE')) throw error;
    log.warn({ err: error }, 'the search does not answer: photos are found once it does');
  }
  return index;
}
