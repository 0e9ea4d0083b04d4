import { StorageError } from '#src/domain/errors.ts';

/** Event streams open at one time in this process: each costs a socket and a reading of the row for every change. */
export const MAX_STREAMS = 1_000;
/** Of them, those of one user: more tabs and devices than a person has. */
export const MAX_STREAMS_PER_USER = 20;
/** Of them, those of one address without a token: many people may stand behind it. */
export const MAX_STREAMS_PER_ADDRESS = 100;

const RETRY_SECONDS = 10;

export interface StreamLimits {
  /**
   * Takes a place for a stream; the function gives it back and may be called twice. BUSY when the process has no more,
   * RATE_LIMITED when the caller has too many.
   */
  take(caller: { readonly userId: string } | { readonly address: string }): () => void;
}

/** Counts the event streams of this process. */
export function createStreamLimits(max: {
  total: number;
  perUser: number;
  perAddress: number;
}): StreamLimits {
  const byCaller = new Map<string, number>();
  let total = 0;

  return {
    take(caller) {
      const key = 'userId' in caller ? `user ${caller.userId}` : `address ${caller.address}`;
      const open = byCaller.get(key) ?? 0;
      const limit = 'userId' in caller ? max.perUser : max.perAddress;
      if (open >= limit)
        throw refused('RATE_LIMITED', `At most ${limit} event streams may be open at a time.`);
      if (total >= max.total) throw refused('BUSY', 'Too many event streams are open.');
      byCaller.set(key, open + 1);
      total += 1;
      let isTaken = true;
      return () => {
        if (!isTaken) return;
        isTaken = false;
        total -= 1;
        const left = (byCaller.get(key) ?? 1) - 1;
        if (left === 0) byCaller.delete(key);
        else byCaller.set(key, left);
      };
    },
  };
}

function refused(code: 'BUSY' | 'RATE_LIMITED', message: string): StorageError {
  return new StorageError(code, message, { retryAfter: RETRY_SECONDS });
}
