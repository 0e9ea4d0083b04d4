import { type ErrorCode, isStorageError } from '../../domain/errors.ts';

const STOPS: ReadonlySet<ErrorCode> = new Set(['ABORTED', 'DATABASE_UNAVAILABLE']);

/** Whether a failure ends the run, to go on later, where others only leave one object or one file as it is. */
export function endsRun(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted || (isStorageError(error) && STOPS.has(error.code));
}
