import { sql } from 'kysely';
import { StorageError } from '../domain/errors.ts';
import type { Db } from './schema.ts';

const OLDEST = 15;

/** INVALID_CONFIGURATION, with what to do, when the server is too old or the database cannot hold every text. */
export async function checkServer(db: Db): Promise<void> {
  const { rows } = await sql<{ version: string; number: number; encoding: string }>`
    select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
      pg_encoding_to_char(encoding) as encoding
    from pg_database where datname = current_database()
  `.execute(db);
  for (const { version, number, encoding } of rows) {
    if (Math.floor(number / 10_000) < OLDEST)
      throw refused(`PostgreSQL ${version} is too old: the service needs ${OLDEST} or newer`);
    if (encoding !== 'UTF8')
      throw refused(
        `the database has the encoding ${encoding}: make one with ENCODING 'UTF8' TEMPLATE template0`,
      );
  }
}

function refused(why: string): StorageError {
  return new StorageError('INVALID_CONFIGURATION', `DATABASE_URL: ${why}.`);
}
