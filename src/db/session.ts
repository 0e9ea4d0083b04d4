import pg from 'pg';
import { StorageError } from '../domain/errors.ts';
import type { Log } from '../ports/log.ts';

const CONNECT_MS = 5000;

/** A connection of its own, for what belongs to a session of the server and not to a transaction. */
export interface Session {
  /** Runs a query that answers one row with a boolean named `is`. Connects when needed. DATABASE_UNAVAILABLE. */
  ask(query: string, values: readonly string[]): Promise<boolean>;
  close(): Promise<void>;
}

/** @param lost called when the connection broke, and with it all that the session held */
export function createSession(
  options: { readonly connection: pg.ClientConfig; readonly log: Log },
  lost: () => void,
): Session {
  let current: pg.Client | null = null;
  let connecting: Promise<pg.Client> | null = null;
  let isClosed = false;

  async function open(): Promise<pg.Client> {
    const client = new pg.Client({
      ...options.connection,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_MS,
    });
    const broke = (error?: Error) => {
      if (current !== client) return;
      current = null;
      if (!isClosed) options.log.warn({ err: error }, 'a database session was lost');
      lost();
    };
    client.on('error', broke);
    client.on('end', broke);
    await client.connect();
    current = client;
    return client;
  }

  async function connected(): Promise<pg.Client> {
    if (isClosed) throw new StorageError('DATABASE_UNAVAILABLE');
    connecting ??= open().finally(() => {
      connecting = null;
    });
    return connecting;
  }

  async function run(query: string, values: readonly string[]): Promise<boolean> {
    try {
      const client = current ?? (await connected());
      const { rows } = await client.query<{ is: boolean }>(query, [...values]);
      return rows[0]?.is === true;
    } catch (error) {
      throw new StorageError('DATABASE_UNAVAILABLE', undefined, { cause: error });
    }
  }

  /** A session does one query at a time. */
  let before: Promise<unknown> = Promise.resolve();

  return {
    ask(query, values) {
      const answer = before.then(() => run(query, values));
      before = answer.catch(() => undefined);
      return answer;
    },
    async close() {
      isClosed = true;
      await connecting?.catch(() => undefined);
      await current?.end().catch(() => undefined);
    },
  };
}
