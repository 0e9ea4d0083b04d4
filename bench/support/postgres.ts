import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { startEmbeddedPostgres } from '#src/app/embedded-postgres/index.ts';
import { connect } from '#src/db/connect.ts';
import { migrateToLatest } from '#src/db/migrate.ts';
import type { Database } from '#src/db/schema.ts';
import { silentLog } from '#test/support/silent-log.ts';

const STATEMENT_MS = 600_000;

export interface BenchPostgres {
  administrate(statements: readonly string[]): Promise<void>;
  /** Makes a database with the latest schema. */
  create(name: string): Promise<void>;
  open(name: string, poolSize: number): Database;
  close(): Promise<void>;
}

/** The embedded server with its own settings, fsync among them, on a folder that `close` removes. */
export async function startBenchPostgres(): Promise<BenchPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), 'localex-bench-'));
  await chmod(dataDir, 0o755);
  const server = await startEmbeddedPostgres({ dataDir });
  const open = (database: string, poolSize: number) =>
    connect({
      connection: { ...server.connection, database },
      poolSize,
      statementTimeoutMs: STATEMENT_MS,
      log: silentLog,
    });
  return {
    administrate: (statements) => server.administrate(statements),
    async create(name) {
      const base = open(server.connection.database, 1);
      await sql`create database ${sql.ref(name)}`.execute(base);
      await base.destroy();
      const made = open(name, 1);
      await migrateToLatest(made);
      await made.destroy();
    },
    open,
    async close() {
      await server.close();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
