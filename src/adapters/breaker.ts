import type { Log } from '#src/ports/log.ts';

/** So many failures one after another, and the server is not asked for a while. One may be a busy moment of this process. */
const FAILURES_TO_OPEN = 3;
const PAUSE_MS = 1_000;

export interface Breaker {
  /** Runs the work, unless the server is being left alone: then it rejects at once. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Leaves a server alone that does not answer (M. Nygard, "Release It!", "Circuit Breaker"): after three failures for a second,
 * then one caller tries before the others. Its going and coming is one line of the log each.
 *
 * @param server as the log names it, to be read before "does not answer"
 */
export function createBreaker({ server, log }: { readonly server: string; readonly log: Log }): Breaker {
  let failures = 0;
  let leftAloneUntil = 0;
  let awaySince: number | null = null;

  const succeeded = () => {
    if (awaySince !== null)
      log.info({ awayMs: Math.round(performance.now() - awaySince) }, `${server} answers again`);
    failures = 0;
    awaySince = null;
  };
  const failed = (error: unknown, since: number) => {
    failures += 1;
    if (failures < FAILURES_TO_OPEN) return;
    leftAloneUntil = performance.now() + PAUSE_MS;
    if (awaySince !== null) return;
    awaySince = since;
    const reason = error instanceof Error ? error.message : String(error);
    log.warn({ reason }, `${server} does not answer; it is left alone until it does`);
  };

  return {
    async run(work) {
      const now = performance.now();
      if (failures >= FAILURES_TO_OPEN) {
        if (now < leftAloneUntil) throw new Error(`${server} is left alone for a moment`);
        // Others are kept out while this one tries.
        leftAloneUntil = now + PAUSE_MS;
      }
      try {
        const answer = await work();
        succeeded();
        return answer;
      } catch (error) {
        failed(error, now);
        throw error;
      }
    },
  };
}
