import { isStorageError, StorageError } from '../domain/errors.ts';

/**
 * SQLSTATEs after which the same transaction may succeed: lost connections (class 08, 57P0x), a statement or an idle
 * transaction that was ended (57014, 25P03), deadlock (40P01), serialization failure (40001), too many connections or
 * no memory (53300, 53200), a prepared statement that is gone (26000). PostgreSQL manual, appendix A.
 */
const TRANSIENT = /^(08...|57P0.|57014|25P03|40P01|40001|53300|53200|26000)$/;
/** The function of the server that refuses a prepared statement whose result a migration has changed. Messages are translated. */
const REFUSES_OLD_PLANS = 'RevalidateCachedQuery';
const DISK_FULL = '53100';
/** Text that PostgreSQL cannot hold: U+0000. */
const NOT_STORABLE = new Set(['22021', '22P05']);
/** Raised by our own triggers. */
const ILLEGAL_TRANSITION = 'LX001';
const LEGAL_HOLD = 'LX004';
const NETWORK = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** What `pg` says of itself without a code. */
const LOST = /Connection terminated|connection error|timeout exceeded when trying to connect/;

/**
 * An error of the database as one of ours, where it means something to a caller: DATABASE_UNAVAILABLE (may be tried
 * again), STORAGE_FULL, INVALID_REQUEST, ILLEGAL_TRANSITION, LEGAL_HOLD. Anything else, a constraint say, stays as it is.
 */
export function classifyDatabaseError(error: unknown): unknown {
  if (!(error instanceof Error) || isStorageError(error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === DISK_FULL) return new StorageError('STORAGE_FULL', undefined, { cause: error });
  if (code === ILLEGAL_TRANSITION) return new StorageError('ILLEGAL_TRANSITION', undefined, { cause: error });
  if (code === LEGAL_HOLD) return new StorageError('LEGAL_HOLD', undefined, { cause: error });
  if (NOT_STORABLE.has(code))
    return new StorageError('INVALID_REQUEST', 'The text has characters that cannot be stored.', {
      cause: error,
    });
  const isOldPlan = 'routine' in error && error.routine === REFUSES_OLD_PLANS;
  if (TRANSIENT.test(code) || NETWORK.has(code) || LOST.test(error.message) || isOldPlan)
    return new StorageError('DATABASE_UNAVAILABLE', undefined, { cause: error });
  return error;
}
