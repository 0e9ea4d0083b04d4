import { serverAddress } from './address.ts';
import { choice, integer, type Read } from './setting.ts';

export interface DatabaseConfig {
  /** Null: the embedded PostgreSQL. */
  readonly url: string | null;
  readonly poolSize: number;
  readonly statementTimeoutMs: number;
  readonly preparesStatements: boolean;
}

export const DATABASE = {
  url: serverAddress('DATABASE_URL', ['postgres', 'postgresql'], {
    description: 'PostgreSQL 15 or newer; the embedded one when not set.',
    expected: 'postgres://user:password@host:port/database',
    secret: true,
  }),
  poolSize: integer('DATABASE_POOL_SIZE', {
    description: 'Connections of one process at most.',
    default: 10,
    min: 2,
    max: 200,
  }),
  statementTimeoutMs: integer('DATABASE_STATEMENT_TIMEOUT_MS', {
    description: 'Milliseconds after which a statement is ended.',
    default: 15_000,
    min: 100,
    max: 600_000,
  }),
  preparedStatements: choice('DATABASE_PREPARED_STATEMENTS', ['on', 'off'], {
    description:
      'Whether connections keep statements prepared; off behind a pooler that cannot pass them on.',
    default: 'on',
  }),
};

export function readDatabase(read: Read): DatabaseConfig {
  return {
    url: read(DATABASE.url),
    poolSize: read(DATABASE.poolSize),
    statementTimeoutMs: read(DATABASE.statementTimeoutMs),
    preparesStatements: read(DATABASE.preparedStatements) === 'on',
  };
}
