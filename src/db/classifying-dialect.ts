import {
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresDialect,
  type PostgresDialectConfig,
} from 'kysely';
import { classifyDatabaseError } from './transient.ts';

/** PostgreSQL, whose errors are told apart once, here: whoever calls a repository sees StorageErrors for what may pass. */
export function createClassifyingDialect(config: PostgresDialectConfig): Dialect {
  const dialect = new PostgresDialect(config);
  return {
    createAdapter: () => dialect.createAdapter(),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createDriver: () => classifying(dialect.createDriver()),
  };
}

function classifying(driver: Driver): Driver {
  const guarded = new WeakMap<DatabaseConnection, DatabaseConnection>();
  const bare = new WeakMap<DatabaseConnection, DatabaseConnection>();
  const unwrap = (connection: DatabaseConnection) => bare.get(connection) ?? connection;

  const wrap = (connection: DatabaseConnection): DatabaseConnection => {
    const known = guarded.get(connection);
    if (known !== undefined) return known;
    const fresh: DatabaseConnection = {
      executeQuery: (query, options) => classified(() => connection.executeQuery(query, options)),
      streamQuery: (query, chunkSize, options) => connection.streamQuery(query, chunkSize, options),
    };
    guarded.set(connection, fresh);
    bare.set(fresh, connection);
    return fresh;
  };

  return {
    init: (options) => driver.init(options),
    acquireConnection: async (options) => wrap(await classified(() => driver.acquireConnection(options))),
    beginTransaction: (connection, settings) =>
      classified(() => driver.beginTransaction(unwrap(connection), settings)),
    commitTransaction: (connection) => classified(() => driver.commitTransaction(unwrap(connection))),
    rollbackTransaction: (connection) => classified(() => driver.rollbackTransaction(unwrap(connection))),
    releaseConnection: (connection, options) => driver.releaseConnection(unwrap(connection), options),
    destroy: (options) => driver.destroy(options),
  };
}

async function classified<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw classifyDatabaseError(error);
  }
}
