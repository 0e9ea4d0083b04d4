import type { TusUploads } from './tus-uploads.ts';

export interface TusSweep {
  /** Starts no further round; resolves when a running one has ended. */
  close(): Promise<void>;
}

/**
 * Removes resumable uploads that are past their time: at once, and every `everyMs` from then on. Each process that
 * takes them has its own, without a lease: their folder is on this machine and may be nobody else's.
 */
export function startTusSweep(
  tus: Pick<TusUploads, 'sweep'>,
  everyMs: number,
  log: { warn(details: object, message: string): void },
): TusSweep {
  let running: Promise<void> | null = null;
  const round = () => {
    running ??= tus
      .sweep(new Date())
      .then(
        () => undefined,
        (error: unknown) => log.warn({ err: error }, 'Old resumable uploads could not be removed'),
      )
      .finally(() => {
        running = null;
      });
  };
  round();
  const timer = setInterval(round, everyMs).unref();
  return {
    async close() {
      clearInterval(timer);
      await running;
    },
  };
}
