import { createPostgresPhotoIndex } from '../adapters/search/postgres.ts';
import type { Config } from '../config/index.ts';
import type { Database } from '../db/schema.ts';
import { isStorageError } from '../domain/errors.ts';
import type { Log } from '../ports/log.ts';
import type { PhotoIndex } from '../ports/search.ts';

/**
 * The search index that the configuration names, ready to be asked. One that does not answer is no reason not to start: it
 * is prepared by the feed, once it does. Errors: INVALID_CONFIGURATION when what is there was not made by this service.
 */
export async function createPhotoIndex(config: Config, db: Database, log: Log): Promise<PhotoIndex> {
  const index = await createDriver(config, db);
  try {
    await index.prepare();
  } catch (error) {
    if (!isStorageError(error, 'SEARCH_UNAVAILABLE')) throw error;
    log.warn({ err: error }, 'the search does not answer: photos are found once it does');
  }
  return index;
}

async function createDriver({ search }: Config, db: Database): Promise<PhotoIndex> {
  if (search.opensearchUrl === null) return createPostgresPhotoIndex({ db });
  // Only who uses the client pays for loading it.
  const { createOpensearchPhotoIndex } = await import('../adapters/search/opensearch.ts');
  return createOpensearchPhotoIndex({
    url: search.opensearchUrl,
    prefix: search.prefix,
    shards: search.shards,
  });
}
