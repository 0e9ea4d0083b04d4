import { Kysely } from 'kysely';
import pg from 'pg';
import type { Log } from '../ports/log.ts';
import { createClassifyingDialect } from './classifying-dialect.ts';
import { preparing } from './prepared-statements.ts';
import type { Database, Schema } from './schema.ts';

export interface ConnectOptions {
  /** What `pg` takes: `connectionString`, or host, port, user, database. */
  readonly connection: pg.ClientConfig;
  readonly poolSize: number;
  readonly statementTimeoutMs: number;
  /** Whether statements that come again are kept prepared by the server; they are when left out. */
  readonly preparesStatements?: boolean;
  readonly log: Log;
}

const INT8 = 20;
/** How long a query waits for a free connection of the pool, or for the server to answer. */
const CONNECT_MS = 10_000;
/** A connection goes with the plans that it has: none is older. */
const LIFETIME_SECONDS = 1800;

/** Opens a pool. bigint columns come as numbers: all of ours are below 2^53. */
export function connect(options: ConnectOptions): Database {
  const pool = new pg.Pool({
    ...options.connection,
    keepAlive: true,
    max: options.poolSize,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: options.statementTimeoutMs,
    idle_in_transaction_session_timeout: options.statementTimeoutMs,
    maxLifetimeSeconds: LIFETIME_SECONDS,
    types: { getTypeParser },
  });
  const lost = (error: Error) => options.log.warn({ err: error }, 'a database connection was lost');
  pool.on('error', lost);
  // The pool listens to idle connections only: one that is cut at work would end the process.
  pool.on('connect', (client) => client.on('error', lost));
  return new Kysely<Schema>({
    dialect: createClassifyingDialect({
      pool: options.preparesStatements === false ? pool : preparing(pool),
    }),
  });
}

const getTypeParser: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') =>
  oid === INT8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format);
