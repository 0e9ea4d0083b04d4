import type { Log } from '#src/ports/log.ts';

const WINDOW_MS = 10_000;
const MAX_KNOWN = 100;

/**
 * A listener for `error` events. A server that is away makes every connection complain several times a second:
 * one message is logged at once, its repetitions are counted and said every 10 s.
 */
export function createErrorLog(log: Log, message: string): (error: Error) => void {
  const known = new Map<string, { since: number; repeated: number }>();
  return (error) => {
    const now = performance.now();
    const entry = known.get(error.message);
    if (entry !== undefined && now - entry.since < WINDOW_MS) {
      entry.repeated += 1;
      return;
    }
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(error.message, { since: now, repeated: 0 });
    log.warn({ err: error, repeated: entry?.repeated ?? 0 }, message);
  };
}
