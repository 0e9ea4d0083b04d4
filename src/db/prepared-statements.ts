import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type pg from 'pg';
import { StatementClosing } from './statement-closing.ts';
import { createStatementNames, type StatementNames } from './statement-names.ts';

/** Statements that a connection keeps: the server holds a plan of some ten kilobytes of each. */
const KEPT = 100;

/** SQLSTATEs (PostgreSQL manual, appendix A); the second is "cached plan must not change result type". */
const INVALID_STATEMENT_NAME = '26000';
const FEATURE_NOT_SUPPORTED = '0A000';

/**
 * The pool, with statements that come again prepared once a connection instead of parsed and planned each time. The server
 * plans the first five executions for their parameters, and goes on so where a plan for any parameters would cost more
 * (`plan_cache_mode = auto`). The least recently used are closed. Migrations may add columns meanwhile: what names none
 * is not prepared (`statement-names.ts`).
 */
export function preparing(pool: pg.Pool, kept = KEPT): PostgresPool {
  const names = createStatementNames();
  const clients = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect();
      const known = clients.get(client) ?? new PreparingClient(client, names, kept);
      clients.set(client, known);
      return known;
    },
  };
}

/** What kysely needs of a client of `pg`, with a name for the statement. */
interface NamingClient {
  query<R>(statement: pg.QueryConfig): Promise<PostgresQueryResult<R>>;
}

class PreparingClient implements PostgresPoolClient {
  readonly #client: pg.PoolClient;
  readonly #naming: NamingClient;
  readonly #names: StatementNames;
  readonly #kept: number;
  /** The least recently used first. */
  readonly #prepared = new Set<string>();

  constructor(client: pg.PoolClient, names: StatementNames, kept: number) {
    this.#client = client;
    this.#naming = client;
    this.#names = names;
    this.#kept = kept;
  }

  query<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  query<R>(
    asked: string | PostgresCursor<R>,
    parameters: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof asked === 'string') return this.#ask(asked, [...parameters]);
    throw new Error('The dialect is made without cursors.');
  }

  release(destroy?: boolean): void {
    this.#client.release(destroy);
  }

  async #ask<R>(text: string, values: unknown[]): Promise<PostgresQueryResult<R>> {
    const name = this.#names.of(text, values.length);
    if (name === null) return this.#naming.query({ text, values });
    await this.#keep(name);
    try {
      return await this.#naming.query({ name, text, values });
    } catch (error) {
      if (isOutdated(error)) await this.#close(name);
      throw error;
    }
  }

  /** Makes room where there is none, and remembers that this one was used last. */
  async #keep(name: string): Promise<void> {
    this.#prepared.delete(name);
    const [oldest] = this.#prepared;
    if (oldest !== undefined && this.#prepared.size >= this.#kept) await this.#close(oldest);
    this.#prepared.add(name);
  }

  async #close(name: string): Promise<void> {
    this.#prepared.delete(name);
    const closing = new StatementClosing(name);
    this.#client.query(closing);
    await closing.done;
  }
}

/** A type that a migration has changed, or a statement that the server has lost: the next use prepares it anew. */
function isOutdated(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  return code === INVALID_STATEMENT_NAME || code === FEATURE_NOT_SUPPORTED;
}
