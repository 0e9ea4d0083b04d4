import type pg from 'pg';
import type { Config } from '../config/index.ts';
import { connect } from '../db/connect.ts';
import { migrateToLatest } from '../db/migrate.ts';
import type { Database } from '../db/schema.ts';
import type { Log } from '../ports/log.ts';
import { startEmbeddedPostgres } from './embedded-postgres/index.ts';

export interface OpenedDatabase {
  readonly db: Database;
  readonly connection: pg.ClientConfig;
  close(): Promise<void>;
}

/** The database of the configuration, or the embedded one, with the latest schema. */
export async function openDatabase(config: Config, log: Log): Promise<OpenedDatabase> {
  const { url, poolSize, statementTimeoutMs } = config.database;
  const server =
    url === null
      ? await startEmbeddedPostgres({
          dataDir: config.server.dataDir,
          log: (message, details) => log.info(details ?? {}, message),
        })
      : null;
  const connection: pg.ClientConfig = server?.connection ?? { connectionString: url ?? '' };
  const db = connect({ connection, poolSize, statementTimeoutMs, log });
  const close = async () => {
    await db.destroy();
    await server?.close();
  };
  try {
    const applied = await migrateToLatest(db);
    if (applied.length > 0) log.info({ applied }, 'the database schema was brought up to date');
  } catch (error) {
    await close();
    throw error;
  }
  return { db, connection, close };
}
