import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../ports/log.ts';

/** One phase of the shutdown: what is closed, and how long it may take. */
export interface ShutdownPhase {
  readonly name: string;
  readonly limitMs: number;
  readonly run: () => Promise<void>;
}

/**
 * Runs the phases one after another, each within its time limit. A phase that fails or takes too long is reported and
 * does not keep the next from running. True when every phase ended well.
 */
export async function shutDown(phases: readonly ShutdownPhase[], log: Log): Promise<boolean> {
  let isClean = true;
  for (const phase of phases) {
    const abort = new AbortController();
    const limit = sleep(phase.limitMs, 'late' as const, { signal: abort.signal }).catch(
      () => 'late' as const,
    );
    try {
      const ended = await Promise.race([phase.run().then(() => 'done' as const), limit]);
      if (ended === 'late') {
        isClean = false;
        log.warn({ phase: phase.name, limitMs: phase.limitMs }, 'a shutdown phase took too long');
      }
    } catch (error) {
      isClean = false;
      log.warn({ err: error, phase: phase.name }, 'a shutdown phase failed');
    } finally {
      abort.abort();
    }
  }
  return isClean;
}
