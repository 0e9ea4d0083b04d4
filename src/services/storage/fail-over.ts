import { isStorageError, StorageError } from '../../domain/errors.ts';
import type { ObjectKey } from '../../domain/keys.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { Retry } from './calls.ts';
import type { DownloadedFile } from './types.ts';

/**
 * What the rows say of a key. `live`: a committed row stands on it. `writing`: it is being written, what a replica has may
 * be from before. `gone`: it was never there, or is to be deleted.
 */
export type Standing = 'live' | 'writing' | 'gone';

/** A copy of the store in another region, of what rows name. */
export interface Replica {
  readonly store: ObjectStore;
  readonly standingOf: (key: ObjectKey) => Promise<Standing>;
}

export interface Stores {
  readonly primary: ObjectStore;
  readonly replica: Replica | undefined;
  /** Milliseconds, for the length of an outage. */
  readonly now?: () => number;
}

export interface Answer<T> {
  readonly value: T;
  readonly from: ObjectStore;
  readonly servedBy: DownloadedFile['servedBy'];
}

/** Reads of one key. Errors: those of `ask`; NOT_FOUND for what is gone by the rows. */
export type ReadFrom = <T>(
  key: ObjectKey,
  retry: Retry,
  ask: (store: ObjectStore) => Promise<T>,
) => Promise<Answer<T>>;

/** A primary that did not answer is not waited for again by every reader: for so long the replica is asked first. */
const OUTAGE_MS = 10_000;

/**
 * Asks the primary, with its retries, and then the replica when the primary does not answer, for what is live by the
 * rows: S3 does not replicate the deletion of versions, so a replica may still have what is gone (Amazon S3 User Guide,
 * "What does Amazon S3 replicate?", 2025). Otherwise the primary's failure stands, also when the replica cannot give it:
 * it may be behind, and proves nothing.
 */
export function createFailOver({ primary, replica, now = () => performance.now() }: Stores): ReadFrom {
  let primaryIsOutUntil = Number.NEGATIVE_INFINITY;

  return async (key, retry, ask) => {
    if (replica === undefined)
      return { value: await retry(() => ask(primary)), from: primary, servedBy: 'primary' };
    let standing: Promise<Standing | null> | undefined;
    const askRows = () => (standing ??= orNull(replica.standingOf(key)));
    /** Null for what the replica may not give, or does not have. */
    const fromReplica = async () => {
      if ((await askRows()) !== 'live') return null;
      const answer = await orNull(retry(async () => ({ value: await ask(replica.store) })));
      return answer && ({ ...answer, from: replica.store, servedBy: 'replica' } as const);
    };
    if (now() < primaryIsOutUntil) {
      const answer = await fromReplica();
      if (answer !== null) return answer;
    }
    try {
      const value = await retry(() => ask(primary));
      primaryIsOutUntil = Number.NEGATIVE_INFINITY;
      return { value, from: primary, servedBy: 'primary' };
    } catch (error) {
      if (!isStorageError(error) || !error.retryable) throw error;
      primaryIsOutUntil = now() + OUTAGE_MS;
      if ((await askRows()) === 'gone') throw new StorageError('NOT_FOUND', undefined, { cause: error });
      const answer = await fromReplica();
      if (answer === null) throw error;
      return answer;
    }
  };
}

/** Removes an object from both; from the one that answers also when the other does not, whose failure is thrown then. */
export async function deleteFrom(
  { primary, replica }: Stores,
  key: ObjectKey,
  retry: Retry,
  signal: AbortSignal | undefined,
): Promise<void> {
  const stores = replica === undefined ? [primary] : [primary, replica.store];
  const ends = await Promise.allSettled(stores.map((store) => retry(() => store.delete(key, signal))));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (isStorageError(error, 'ABORTED')) throw error;
    return null;
  }
}
