import { isStorageError, StorageError } from '../domain/errors.ts';

/**
 * Errors after which the same transaction may succeed: lost connections (class 08, 57P0x), deadlock (40P01),
 * serialization failure (40001), too many connections (53300). PostgreSQL manual, appendix A.
 */
const TRANSIENT = /^(08...|57P0.|40P01|40001|53300)$/;
const NETWORK = new Set(['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ENOENT', 'ETIMEDOUT']);

/** A lost connection or a deadlock as DATABASE_UNAVAILABLE, which may be tried again; anything else as it is. */
export function classifyDatabaseError(error: unknown): unknown {
  if (!(error instanceof Error) || isStorageError(error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const isNetwork = NETWORK.has(code) && 'syscall' in error && error.syscall === 'connect';
  const isLost = /Connection terminated|Client has encountered a connection error/.test(error.message);
  if (!TRANSIENT.test(code) && !isNetwork && !isLost) return error;
  return new StorageError('DATABASE_UNAVAILABLE', undefined, { cause: error });
}
