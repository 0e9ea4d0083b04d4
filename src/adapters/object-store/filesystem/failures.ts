import { type ErrorCode, StorageError } from '../../../domain/errors.ts';

/**
 * Classifies what the operating system says, once; what a missing or present file means, its caller has said. StorageErrors pass; a cancelled call is ABORTED; what no
 * system call said (a bug) passes unchanged.
 */
export function classify(error: unknown, signal?: AbortSignal): unknown {
  if (error instanceof StorageError) return error;
  if (signal?.aborted) return aborted(signal);
  const errno = errnoOf(error);
  if (errno === null || !(error instanceof Error && 'syscall' in error)) return error;
  return new StorageError(CODES[errno] ?? 'STORAGE_UNAVAILABLE', undefined, {
    cause: error,
    details: { errno },
  });
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'STORAGE_FULL',
  EDQUOT: 'STORAGE_FULL',
  ENAMETOOLONG: 'INVALID_KEY',
};

export function errnoOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

export function aborted(signal: AbortSignal): StorageError {
  return new StorageError('ABORTED', undefined, { cause: signal.reason });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(signal);
}

/** The file is there and is not what was written: bits were lost below us. Trying again does not help. */
export function damaged(path: string, finding: string): StorageError {
  return new StorageError('OBJECT_DAMAGED', undefined, { details: { path, finding } });
}
