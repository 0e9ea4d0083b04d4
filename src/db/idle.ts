import { sql } from 'kysely';
import type { Db } from './schema.ts';

/**
 * How long a transaction may wait for an object store that is asked under its locks. Longer than the store's client is
 * patient with one request, so that slow work ends by its own error and is not cut half way; short enough that a process which
 * hangs gives its locks back. Milliseconds.
 */
const STORE_WORK_MS = 5 * 60_000;

/** Lets this transaction be idle for longer than others may, while what it waits for is none of the database's. */
export async function allowIdle(trx: Db, ms = STORE_WORK_MS): Promise<void> {
  await sql`set local idle_in_transaction_session_timeout = ${sql.lit(ms)}`.execute(trx);
}
