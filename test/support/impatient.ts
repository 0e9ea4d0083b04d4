import { connect } from '#src/db/connect.ts';
import type { Database } from '#src/db/schema.ts';
import type { TestApp } from './app.ts';
import { silentLog } from './silent-log.ts';

/** How long a transaction of {@link impatientDatabase} may be idle. Milliseconds. */
export const IDLE_LIMIT_MS = 200;

/** Another pool to the database of an app, whose transactions may be idle for a moment only. To be destroyed. */
export function impatientDatabase({ database }: Pick<TestApp, 'database'>): Database {
  const { connection } = database;
  return connect({ connection, poolSize: 3, statementTimeoutMs: IDLE_LIMIT_MS, log: silentLog });
}

/** Work of a store that takes longer than such a transaction may be idle. */
export async function slowly<T>(work: () => Promise<T>): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, 3 * IDLE_LIMIT_MS));
  return work();
}

/** The same. Resolves beside it to how long somebody else waited for the row of the file meanwhile. Milliseconds. */
export async function slowlyBeside<T>(
  { db }: Pick<TestApp, 'db'>,
  fileId: string,
  work: () => Promise<T>,
): Promise<{ done: T; waited: number }> {
  const begin = performance.now();
  const touched = db
    .updateTable('files')
    .set({ updated_at: new Date() })
    .where('id', '=', fileId)
    .execute()
    .then(() => performance.now() - begin);
  const done = await slowly(work);
  return { done, waited: await touched };
}
