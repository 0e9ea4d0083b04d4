import { isStorageError, StorageError } from '../../domain/errors.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { Retry } from './calls.ts';
import type { DownloadedFile } from './types.ts';

export interface Stores {
  readonly primary: ObjectStore;
  readonly replica: ObjectStore | undefined;
  /** Whether what the replica has may be given; always unless said otherwise. */
  readonly mayReadReplica?: () => Promise<boolean>;
}

export interface Answer<T> {
  readonly value: T;
  readonly from: ObjectStore;
  readonly servedBy: DownloadedFile['servedBy'];
}

/**
 * Asks the primary, with its retries, and then the replica when the primary does not answer. Never for an answer
 * such as NOT_FOUND: a replica may still have what has been deleted. Errors: NOT_FOUND for what may not be given.
 */
export async function readFrom<T>(
  stores: Stores,
  retry: Retry,
  ask: (store: ObjectStore) => Promise<T>,
): Promise<Answer<T>> {
  const { primary, replica, mayReadReplica } = stores;
  try {
    return { value: await retry(() => ask(primary)), from: primary, servedBy: 'primary' };
  } catch (error) {
    if (replica === undefined || !isStorageError(error) || !error.retryable) throw error;
    if (mayReadReplica !== undefined && !(await mayReadReplica())) throw new StorageError('NOT_FOUND');
    return { value: await retry(() => ask(replica)), from: replica, servedBy: 'replica' };
  }
}
