import pg from 'pg';
import { connect } from '#src/db/connect.ts';
import { migrateToLatest } from '#src/db/migrate.ts';
import { silentLog } from './silent-log.ts';

/** Any number; the same in every process that makes templates. */
const TEMPLATE_LOCK = 7_405_913;

/**
 * The name of a database with the latest schema and no rows, for `CREATE DATABASE … TEMPLATE`. The first caller of
 * a run makes it. Callers on one server wait for each other until `client` ends, since PostgreSQL copies no
 * template that somebody is connected to.
 */
export async function ensureTemplate(client: pg.Client, base: pg.ClientConfig, run: string): Promise<string> {
  const name = templateName(run);
  await client.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
  const known = await client.query('SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate', [name]);
  if (known.rowCount !== 0) return name;
  // What is there without the mark was left half made.
  await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await client.query(`CREATE DATABASE ${name}`);
  const connection = connectionTo(base, name);
  const db = connect({ connection, poolSize: 1, statementTimeoutMs: 60_000, log: silentLog });
  try {
    await migrateToLatest(db);
  } finally {
    await db.destroy();
  }
  await client.query(`ALTER DATABASE ${name} IS_TEMPLATE true`);
  return name;
}

/** Leaves nothing of a run on a server that outlives it. */
export async function dropTemplate(base: pg.ClientConfig, run: string): Promise<void> {
  const name = templateName(run);
  await withClient(base, async (client) => {
    const known = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (known.rowCount === 0) return;
    await client.query(`ALTER DATABASE ${name} IS_TEMPLATE false`);
    await client.query(`DROP DATABASE ${name} WITH (FORCE)`);
  });
}

export function connectionTo(base: pg.ClientConfig, database: string): pg.ClientConfig {
  if (base.connectionString === undefined) return { ...base, database };
  const url = new URL(base.connectionString);
  url.pathname = `/${database}`;
  return { connectionString: url.href };
}

export async function withClient<T>(
  connection: pg.ClientConfig,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function templateName(run: string): string {
  return `test_template_${run}`;
}
