import { isStorageError, StorageError } from '../domain/errors.ts';
import type { Stage } from '../domain/file-state.ts';

/** One named step. `stop` ends the pipeline: what was to be done is committed. */
export interface Step<Work> {
  readonly stage: Stage;
  readonly run: (work: Work) => Promise<'go on' | 'stop'>;
}

/**
 * Runs steps in order. Before each, the deadline is checked and the stage is shown; a stage that cannot be shown means
 * that the work is late (the file has moved on), which ends it quietly. True when the last step was reached.
 */
export async function runSteps<Work>(
  steps: readonly Step<Work>[],
  work: Work,
  guard: { readonly signal: AbortSignal; readonly show: (stage: Stage) => Promise<boolean> },
): Promise<boolean> {
  for (const step of steps) {
    if (guard.signal.aborted) throw interrupted(guard.signal);
    if (!(await guard.show(step.stage))) return false;
    if ((await step.run(work)) === 'stop') return false;
  }
  return true;
}

function interrupted(signal: AbortSignal): StorageError {
  return isStorageError(signal.reason)
    ? signal.reason
    : new StorageError('DEADLINE_EXCEEDED', undefined, { cause: signal.reason });
}
