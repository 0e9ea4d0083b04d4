import { realpath } from 'node:fs/promises';
import { Client } from 'pg';
import { z } from 'zod';
import type { DataFolder } from './data-folder.ts';
import { connectionTo } from './endpoint.ts';
import { unavailable } from './failures.ts';
import type { Postmaster } from './survivor.ts';

const ANSWER_LIMIT_MS = 5000;

const Found = z.object({ folder: z.string(), role: z.boolean(), database: z.boolean() });

/**
 * Asks the server which data it serves, and makes the application's role and database when they are
 * missing (after the first start, or one that was cut off).
 *
 * @throws StorageError DATABASE_UNAVAILABLE when another server answers there
 */
export async function prepareDatabase(postmaster: Postmaster, data: DataFolder): Promise<void> {
  await asSuperuser(postmaster, data, 'postgres', async (client) => {
    const { rows } = await client.query(
      `select current_setting('data_directory') as folder,
              exists (select from pg_roles where rolname = 'localex') as role,
              exists (select from pg_database where datname = 'localex') as database`,
    );
    const found = Found.parse(rows[0]);
    await refuseAnotherServer(found.folder, data.folder);
    const password = client.escapeLiteral(data.password);
    if (!found.role) await client.query(`create role localex login createdb password ${password}`);
    if (!found.database) await client.query('create database localex owner localex');
  });
}

/** Runs statements in the application's database as a superuser. */
export async function administrate(
  postmaster: Postmaster,
  data: DataFolder,
  statements: readonly string[],
): Promise<void> {
  await asSuperuser(postmaster, data, 'localex', async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

async function asSuperuser(
  postmaster: Postmaster,
  data: DataFolder,
  database: string,
  work: (client: Client) => Promise<void>,
): Promise<void> {
  const client = new Client({
    ...connectionTo(postmaster.endpoint, data.password),
    user: 'postgres',
    database,
    password: data.password,
    ssl: false,
    connectionTimeoutMillis: ANSWER_LIMIT_MS,
    query_timeout: ANSWER_LIMIT_MS,
  });
  // A connection that breaks also fails the call that waits for it.
  client.on('error', () => {});
  try {
    await client.connect();
    await work(client);
  } finally {
    await client.end();
  }
}

async function refuseAnotherServer(served: string, ours: string): Promise<void> {
  // Served by way of its working directory: the process was told by that already.
  if (served === '/proc/self/cwd' || (await realpath(served)) === ours) return;
  throw unavailable(`Another PostgreSQL server answers in the place of the embedded one.`, { served, ours });
}
