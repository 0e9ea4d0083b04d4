import pg from 'pg';
import type { TestDatabase } from './database.ts';

/** What nothing in the database stops: runs statements as a superuser, with triggers switched off. */
export async function asSuperuser(
  { connection }: TestDatabase,
  ...statements: readonly string[]
): Promise<void> {
  const client = new pg.Client({ ...connection, ...superuserOf(connection) });
  await client.connect();
  try {
    await client.query(`set session_replication_role = replica`);
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** The embedded server's superuser comes in by its socket; that of `TEST_DATABASE_URL` is one already. */
function superuserOf(connection: pg.ClientConfig): pg.ClientConfig {
  return connection.connectionString === undefined ? { user: 'postgres' } : {};
}
