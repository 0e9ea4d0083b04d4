import { isStorageError, StorageError } from '../domain/errors.ts';
import type { Stage } from '../domain/file-state.ts';

/** `stop`: what was to be done is committed. `late`: the file has moved on, nothing was committed. */
export type StepResult = 'go on' | 'stop' | 'late';

/** One named step. */
export interface Step<Work> {
  readonly stage: Stage;
  readonly run: (work: Work) => Promise<StepResult>;
}

/**
 * Runs steps in order until one does not go on. Before each, the deadline is checked and the stage is shown; a stage that
 * cannot be shown means that the work is late.
 */
export async function runSteps<Work>(
  steps: readonly Step<Work>[],
  work: Work,
  guard: { readonly signal: AbortSignal; readonly show: (stage: Stage) => Promise<boolean> },
): Promise<StepResult> {
  for (const step of steps) {
    if (guard.signal.aborted) throw interrupted(guard.signal);
    if (!(await guard.show(step.stage))) return 'late';
    const result = await step.run(work);
    if (result !== 'go on') return result;
  }
  return 'go on';
}

function interrupted(signal: AbortSignal): StorageError {
  return isStorageError(signal.reason)
    ? signal.reason
    : new StorageError('DEADLINE_EXCEEDED', undefined, { cause: signal.reason });
}
