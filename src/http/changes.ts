import type { FileEvents } from '#src/services/contracts.ts';

/** A burst of changes is read once: the reader of a stream is told at most this often. */
const COALESCE_MS = 50;

export interface Changes {
  /** Resolves once something has changed since the last call, or when it is over. */
  next(): Promise<'changed' | 'ended'>;
  end(): void;
}

/** Changes of files as something to wait for. Ends with `closing`. */
export function listenForChanges(
  events: FileEvents,
  filter: { fileId?: string; itemId?: string },
  closing: AbortSignal,
): Changes {
  let changed = false;
  let ended = closing.aborted;
  let wake: (() => void) | null = null;
  const tell = () => wake?.();
  const stop = events.subscribe(filter, () => {
    changed = true;
    tell();
  });
  const end = () => {
    ended = true;
    stop();
    closing.removeEventListener('abort', end);
    tell();
  };
  closing.addEventListener('abort', end, { once: true });

  const sleep = (ms: number | null) =>
    new Promise<void>((resolve) => {
      const timer = ms === null ? undefined : setTimeout(resolve, ms);
      wake = () => {
        if (ms !== null && !ended) return;
        clearTimeout(timer);
        resolve();
      };
    });

  return {
    async next() {
      if (!changed && !ended) await sleep(null);
      if (!ended) await sleep(COALESCE_MS);
      changed = false;
      return ended ? 'ended' : 'changed';
    },
    end,
  };
}
