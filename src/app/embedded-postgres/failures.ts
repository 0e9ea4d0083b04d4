import { StorageError } from '#src/domain/errors.ts';

/** The error of a server that cannot be had: the message says why and what to do, for the person at the terminal. */
export function unavailable(
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): StorageError {
  return new StorageError('DATABASE_UNAVAILABLE', message, { details, cause });
}

/** The `code` of a system error ('ENOENT'), or undefined for any other value. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The value of the promise, or undefined when what it looks for does not exist. */
export async function ifThere<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}
