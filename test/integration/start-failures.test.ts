import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { v7 } from 'uuid';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { start } from '#src/app/start.ts';
import { loadConfig } from '#src/config/index.ts';
import { StorageError } from '#src/domain/errors.ts';
import { urlOf } from '#test/support/app.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { connectionTo, withClient } from '#test/support/template-database.ts';

const log = pino({ level: 'silent' });
let folder: string;
let database: TestDatabase;
/** Listens, and says nothing. */
let occupant: Server;
let taken: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'localex-start-'));
  database = await createTestDatabase();
  occupant = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(occupant, 'listening');
  const address = occupant.address();
  taken = address !== null && typeof address === 'object' ? address.port : 0;
});
afterAll(async () => {
  occupant.close();
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

/** How the service refuses to start. */
async function refusal(env: Readonly<Record<string, string>>): Promise<StorageError> {
  try {
    const app = await start(loadConfig({ PORT: '0', DATA_DIR: folder, ...env }), log);
    await app.stop();
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  }
  throw new Error('Expected the service not to start');
}

test('a port that is in use is named in one sentence, before anything is written', async () => {
  const dataDir = join(folder, 'untouched');
  const error = await refusal({ PORT: String(taken), DATA_DIR: dataDir });
  expect(error.code).toBe('INVALID_CONFIGURATION');
  expect(error.message).toBe(`PORT ${taken} on 127.0.0.1 is in use; set PORT to another.`);
  expect(await readdir(folder)).not.toContain('untouched');
});

test('a data folder that is a file, or lies below one, is named with what to do', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  for (const dataDir of [file, join(file, 'below')]) {
    const error = await refusal({ DATA_DIR: dataDir });
    expect(error.code).toBe('INVALID_CONFIGURATION');
    expect(error.message).toContain(`DATA_DIR ${dataDir} cannot be used`);
    expect(error.message).toContain('Set DATA_DIR to a folder');
  }
});

test('a database server that does not answer, or has no such database, is named without the password', async () => {
  const gone = await refusal({ DATABASE_URL: `postgres://somebody:hidden-word@127.0.0.1:${taken}/photos` });
  expect(gone.code).toBe('DATABASE_UNAVAILABLE');
  expect(gone.message).toContain(`DATABASE_URL, 127.0.0.1:${taken}, does not answer`);
  expect(gone.message).not.toContain('hidden-word');
  const missing = await refusal({ DATABASE_URL: urlOf(database).replace(/test_[0-9a-f]+/, 'nowhere') });
  expect(missing.message).toContain('has no such database');
});

test('an orderly stop takes the address of the service away', async () => {
  const dataDir = join(folder, 'orderly');
  const app = await start(
    loadConfig({ PORT: '0', DATA_DIR: dataDir, DATABASE_URL: urlOf(database), IMAGE_PROCESSES: '1' }),
    log,
  );
  const address: unknown = JSON.parse(await readFile(join(dataDir, 'service.json'), 'utf8'));
  expect(address).toEqual({ url: app.url, pid: process.pid });
  expect(await app.stop()).toBe(true);
  expect(await readdir(dataDir)).not.toContain('service.json');
});

test('a database that cannot hold every text is named with what to do', async () => {
  const name = `test_ascii_${v7().replaceAll('-', '')}`;
  await withClient(database.connection, (client) =>
    client.query(`create database ${name} encoding 'SQL_ASCII' locale 'C' template template0`),
  );
  try {
    const error = await refusal({
      DATABASE_URL: urlOf({ connection: connectionTo(database.connection, name) }),
    });
    expect(error.code).toBe('INVALID_CONFIGURATION');
    expect(error.message).toContain("ENCODING 'UTF8'");
  } finally {
    await withClient(database.connection, (client) => client.query(`drop database ${name} with (force)`));
  }
});
