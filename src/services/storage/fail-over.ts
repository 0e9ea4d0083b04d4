import { isStorageError, StorageError } from '../../domain/errors.ts';
import type { ObjectKey } from '../../domain/keys.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { Retry } from './calls.ts';
import type { DownloadedFile } from './types.ts';

export interface Stores {
  readonly primary: ObjectStore;
  readonly replica: ObjectStore | undefined;
  /** Whether what the replica has under a key may be given. */
  readonly mayReadReplica: (key: ObjectKey) => Promise<boolean>;
  /** Milliseconds, for the length of an outage. */
  readonly now?: () => number;
}

export interface Answer<T> {
  readonly value: T;
  readonly from: ObjectStore;
  readonly servedBy: DownloadedFile['servedBy'];
}

/** Reads of one key, or of no particular one. Errors: those of `ask`; NOT_FOUND for what may not be given. */
export type ReadFrom = <T>(
  key: ObjectKey | null,
  retry: Retry,
  ask: (store: ObjectStore) => Promise<T>,
) => Promise<Answer<T>>;

/** A primary that did not answer is not waited for again by every reader: for so long the replica is asked first. */
const OUTAGE_MS = 10_000;

/**
 * Asks the primary, with its retries, and then the replica when the primary does not answer. Never for an answer such as
 * NOT_FOUND: a replica may still have what has been deleted.
 */
export function createFailOver(stores: Stores): ReadFrom {
  const { primary, replica, mayReadReplica, now = () => performance.now() } = stores;
  if (replica === undefined)
    return async (_key, retry, ask) => ({
      value: await retry(() => ask(primary)),
      from: primary,
      servedBy: 'primary',
    });
  let primaryIsOutUntil = Number.NEGATIVE_INFINITY;
  const mayGive = async (key: ObjectKey | null) => key === null || (await mayReadReplica(key));

  return async (key, retry, ask) => {
    const fromReplica = async () =>
      ({ value: await retry(() => ask(replica)), from: replica, servedBy: 'replica' }) as const;
    if (now() < primaryIsOutUntil && (await mayGive(key))) {
      try {
        return await fromReplica();
      } catch (error) {
        // What has not been copied yet, or is another there, is the primary's to say.
        if (!isStorageError(error) || error.code === 'ABORTED') throw error;
      }
    }
    try {
      const value = await retry(() => ask(primary));
      primaryIsOutUntil = Number.NEGATIVE_INFINITY;
      return { value, from: primary, servedBy: 'primary' };
    } catch (error) {
      if (!isStorageError(error) || !error.retryable) throw error;
      primaryIsOutUntil = now() + OUTAGE_MS;
      if (!(await mayGive(key))) throw new StorageError('NOT_FOUND', undefined, { cause: error });
      return fromReplica();
    }
  };
}
