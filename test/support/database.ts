import { randomBytes } from 'node:crypto';
import { connect as connectSocket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { inject } from 'vitest';
import { z } from 'zod';
import { connect } from '#src/db/connect.ts';
import type { Database } from '#src/db/schema.ts';
import { silentLog } from './silent-log.ts';
import { connectionTo, ensureTemplate, withClient } from './template-database.ts';

export interface TestDatabase {
  readonly db: Database;
  /** For a second pool or a client of `pg` on the same database. */
  readonly connection: pg.ClientConfig;
  /** Closes `db` and drops the database, whoever is still connected. */
  close(): Promise<void>;
}

/** A server that tests run on. */
export interface DatabaseServer {
  readonly name: string;
  /** Of a database from which others can be made. */
  connection(): Promise<pg.ClientConfig>;
}

const EMBEDDED: DatabaseServer = { name: 'embedded PostgreSQL', connection: embeddedConnection };

/**
 * The embedded server, and that of `TEST_DATABASE_URL` when it is set. For the few tests that must pass on every
 * supported server: `describe.each(databaseServers())('on $name', …)`.
 */
export function databaseServers(): readonly DatabaseServer[] {
  const url = process.env['TEST_DATABASE_URL'];
  if (url === undefined || url === '') return [EMBEDDED];
  return [
    EMBEDDED,
    { name: 'TEST_DATABASE_URL', connection: () => Promise.resolve({ connectionString: url }) },
  ];
}

/**
 * A database of its own, migrated to the latest schema: a copy of a template that the first caller makes.
 * Call it in `beforeAll` and close it in `afterAll`.
 */
export async function createTestDatabase(
  server: DatabaseServer = EMBEDDED,
  options: { poolSize?: number } = {},
): Promise<TestDatabase> {
  const base = await server.connection();
  const name = `test_${randomBytes(8).toString('hex')}`;
  await withClient(base, async (client) => {
    const template = await ensureTemplate(client, base, inject('testRun').id);
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  });
  const connection = connectionTo(base, name);
  const db = connect({
    connection,
    poolSize: options.poolSize ?? 5,
    statementTimeoutMs: 15_000,
    log: silentLog,
  });
  return {
    db,
    connection,
    async close() {
      await db.destroy();
      await withClient(base, (client) => drop(client, name));
    },
  };
}

const INSUFFICIENT_PRIVILEGE = '42501';
const DROP_TRIES = 50;

/** Autovacuum works for a superuser, whose process we may not end: it is done in a moment. */
async function drop(client: pg.Client, name: string): Promise<void> {
  for (let left = DROP_TRIES; ; left -= 1)
    try {
      await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      return;
    } catch (error) {
      const mayPass = error instanceof pg.DatabaseError && error.code === INSUFFICIENT_PRIVILEGE && left > 0;
      if (!mayPass) throw error;
      await sleep(100);
    }
}

const Answer = z.union([
  z.object({ error: z.string() }),
  z.object({
    host: z.string(),
    port: z.number(),
    user: z.string(),
    database: z.string(),
    password: z.string().optional(),
  }),
]);

async function embeddedConnection(): Promise<pg.ClientConfig> {
  const socket = connectSocket(inject('testRun').postgresPort, '127.0.0.1');
  const answer = Answer.parse(JSON.parse(await text(socket)));
  if ('error' in answer) throw new Error(answer.error);
  const { password, ...connection } = answer;
  return password === undefined ? connection : { ...connection, password };
}
