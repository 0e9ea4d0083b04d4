import pg from 'pg';
import type { Config } from '../config/index.ts';
import { checkServer } from '../db/check-server.ts';
import { connect } from '../db/connect.ts';
import { prepareMonths } from '../db/audit/months.ts';
import { ledgerWeakness, ownerStatements } from '../db/audit/owner.ts';
import { migrateToLatest } from '../db/migrate.ts';
import { isStorageError, StorageError } from '../domain/errors.ts';
import type { Database } from '../db/schema.ts';
import type { Log } from '../ports/log.ts';
import { startEmbeddedPostgres } from './embedded-postgres/index.ts';

/** Months of the audit ledger that are made before they are needed. */
const AUDIT_MONTHS_AHEAD = 3;
const UNGUARDED =
  'the audit ledger is not guarded from this service by the database: give it an owner of its own (docs/storage/operational-guide.md, Security)';

export interface OpenedDatabase {
  readonly db: Database;
  readonly connection: pg.ClientConfig;
  close(): Promise<void>;
}

/** The database of the configuration, or the embedded one, with the latest schema. */
export async function openDatabase(config: Config, log: Log): Promise<OpenedDatabase> {
  const { url, ...settings } = config.database;
  const server =
    url === null
      ? await startEmbeddedPostgres({
          dataDir: config.server.dataDir,
          log: (message, details) => log.info(details ?? {}, message),
        })
      : null;
  const connection: pg.ClientConfig = {
    ...(server?.connection ?? { connectionString: url ?? '' }),
    application_name: `localex-storage ${config.server.roles.join(',')}`,
  };
  const db = connect({ connection, ...settings, log });
  const close = async () => {
    await db.destroy();
    await server?.close();
  };
  try {
    await checkServer(db);
    const applied = await migrateToLatest(db);
    if (applied.length > 0) log.info({ applied }, 'the database schema was brought up to date');
    await server?.administrate(ownerStatements('localex'));
    await prepareMonths(db, AUDIT_MONTHS_AHEAD);
    const weakness = await ledgerWeakness(db);
    if (weakness !== null) log.warn({ weakness }, UNGUARDED);
  } catch (error) {
    await close();
    throw url === null ? error : named(url, error);
  }
  return { db, connection, close };
}

/** What keeps a server from being used, by SQLSTATE (class 28 and 3D, PostgreSQL manual, appendix A). */
const REFUSALS: Readonly<Record<string, string>> = {
  '28P01': 'refuses the user or the password',
  '28000': 'does not let this user in',
  '3D000': 'has no such database',
};

/** An error that DATABASE_URL causes names it, with host and port and never the password. */
function named(url: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const what = isStorageError(error, 'DATABASE_UNAVAILABLE') ? 'does not answer' : REFUSALS[code];
  if (what === undefined) return error;
  const { host, port } = new pg.Client({ connectionString: url });
  return new StorageError(
    'DATABASE_UNAVAILABLE',
    `The PostgreSQL server of DATABASE_URL, ${host}:${port}, ${what}. Start it, or correct DATABASE_URL.`,
    { cause: error },
  );
}
