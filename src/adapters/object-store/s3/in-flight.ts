import { aborted } from './failures.ts';

/** Places for requests on their way to one bucket. */
export interface InFlight {
  /** Waits for a place, in turn. Errors: ABORTED. */
  enter(signal: AbortSignal | undefined): Promise<void>;
  /** Gives the place back, and tells whether the server asked for fewer requests. */
  leave(throttled: boolean): void;
}

/**
 * As many requests at once as the server takes: halved whenever it says SlowDown, one more for every round of successes.
 * "Additive increase, multiplicative decrease" of Chiu and Jain, 1989, as TCP does it: it finds the server's limit without
 * knowing it, and is back at full width within seconds once the server recovers. S3 scales a prefix up by itself over
 * minutes and asks clients to slow down meanwhile (Amazon S3 User Guide, "Optimizing Amazon S3 performance", 2025).
 */
export function createInFlight(max: number, now: () => number = () => performance.now()): InFlight {
  let limit = max;
  let running = 0;
  let halvedAt = Number.NEGATIVE_INFINITY;
  const waiting = new Set<() => void>();

  const admit = () => {
    for (const enter of waiting) {
      if (running >= Math.floor(limit)) return;
      waiting.delete(enter);
      running += 1;
      enter();
    }
  };

  return {
    enter(signal) {
      if (running < Math.floor(limit)) {
        running += 1;
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => {
        const give = () => {
          signal?.removeEventListener('abort', stop);
          resolve();
        };
        const stop = () => {
          waiting.delete(give);
          if (signal !== undefined) reject(aborted(signal));
        };
        signal?.addEventListener('abort', stop, { once: true });
        waiting.add(give);
      });
    },
    leave(throttled) {
      running -= 1;
      if (!throttled) limit = Math.min(max, limit + 1 / limit);
      // Requests sent together are refused together: that is one sign, not one each.
      else if (now() - halvedAt > ONE_SIGN_MS) {
        halvedAt = now();
        limit = Math.max(1, limit / 2);
      }
      admit();
    },
  };
}

const ONE_SIGN_MS = 100;
