import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '#src/app/embedded-postgres/index.ts';
import { isAlive } from '#src/app/embedded-postgres/processes.ts';
import { bystander, killed, namesIn, pidFileOf, query, until } from './embedded-postgres-harness.ts';
import { Started, unusualFolders } from './embedded-postgres-folders.ts';

const OWNER = new URL('./embedded-postgres-owner.ts', import.meta.url).pathname;
const root = process.getuid?.() === 0;

const Refused = z.object({ code: z.string(), message: z.string() });

/** One database for the tests that do not need a new one: each moves it to the folder it is about, and back. */
let shared: string;
let scratch: string;
let dataDir: string;
let open: EmbeddedPostgres[];
let owners: ChildProcess[];

beforeAll(async () => {
  shared = path.join(await mkdtemp(path.join(os.tmpdir(), 'localex-pg-test-')), 'data');
  await (await startEmbeddedPostgres({ dataDir: shared, fsync: false })).close();
});

afterAll(() => rm(path.dirname(shared), { recursive: true, force: true }));

beforeEach(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'localex-pg-test-'));
  // mkdtemp closes it to everybody else; one test below is about that.
  await chmod(scratch, 0o755);
  dataDir = path.join(scratch, 'data');
  await rename(shared, dataDir);
  open = [];
  owners = [];
});

afterEach(async () => {
  for (const owner of owners) await killed(owner);
  for (const server of open) await server.close();
  // What a killed owner left running is adopted once more, to be stopped in order.
  await (await startEmbeddedPostgres({ dataDir, fsync: false }).catch(() => undefined))?.close();
  await rename(dataDir, shared);
  await rm(scratch, { recursive: true, force: true });
});

test('the first start creates a database and the second finds its rows', async () => {
  await rm(dataDir, { recursive: true });
  const first = await start();
  expect(first.adopted).toBe(false);
  await query(first.connection, 'create table notes (body text)');
  await query(first.connection, "insert into notes values ('älter')");
  await first.close();
  await first.close();
  expect(await isAlive(first.pid)).toBe(false);

  const second = await start();
  expect(second.adopted).toBe(false);
  expect(await query(second.connection, 'select body, upper(body) as upper from notes')).toEqual([
    { body: 'älter', upper: 'ÄLTER' },
  ]);
});

test('the server is small, in UTC, private to its user, and its role is no superuser', async () => {
  const { connection, pid } = await start();
  const [settings] = await query(
    connection,
    `select current_setting('timezone') as timezone, current_setting('server_encoding') as encoding,
            current_setting('jit') as jit, current_setting('listen_addresses') as addresses,
            current_setting('is_superuser') as superuser, current_setting('max_connections') as connections`,
  );
  expect(settings).toEqual({
    timezone: 'UTC',
    encoding: 'UTF8',
    jit: 'off',
    addresses: '',
    superuser: 'off',
    connections: '60',
  });
  expect((await stat(connection.host)).mode & 0o777).toBe(0o700);
  expect(await readFile(`/proc/${pid}/status`, 'utf8')).not.toMatch(/^Uid:\s+0\b/m);
});

test('after kill -9 of its owner a server is adopted with its data', async () => {
  const owner = await spawnOwner();
  const before = Started.parse(owner.said);
  await query(before.connection, 'create table adopted as select 7 as answer');
  await killed(owner.process);

  const server = await start();
  expect(server).toMatchObject({ adopted: true, pid: before.pid, connection: before.connection });
  expect(await query(server.connection, 'select answer from adopted')).toEqual([{ answer: 7 }]);

  await server.close();
  expect(await isAlive(server.pid)).toBe(false);
});

test('an owner killed at any moment of its first start does not spoil the next start', async () => {
  await rm(dataDir, { recursive: true });
  for (const moment of ['owner.json', 'init-', '18', 'postmaster.pid']) {
    const process = spawnNode();
    await until(async () =>
      (await namesIn(path.join(dataDir, 'postgres'))).some((name) => name.startsWith(moment)),
    );
    await killed(process);
  }
  const server = await start();
  expect(await query(server.connection, 'select 1 as one')).toEqual([{ one: 1 }]);
  expect((await readdir(path.join(dataDir, 'postgres'))).toSorted()).toEqual([
    '18',
    'owner.json',
    'owner.lock',
    'server.log',
  ]);
});

test('after kill -9 of the postmaster under load the next start has every committed row', async () => {
  const server = await start();
  await query(server.connection, 'create table under_load as select 7 as answer');
  const busy = query(server.connection, 'select count(*) from generate_series(1, 1000000000)').catch(
    () => 'cut',
  );
  await until(async () => {
    const rows = await query(
      server.connection,
      "select 1 from pg_stat_activity where query like '%1000000000)'",
    );
    return rows.length === 1;
  });
  process.kill(server.pid, 'SIGKILL');
  await server.close();

  const again = await start();
  expect(again.adopted).toBe(false);
  expect(await query(again.connection, 'select answer from under_load')).toEqual([{ answer: 7 }]);
  expect(await busy).toBe('cut');
});

test('after kill -9 of owner and postmaster at once the next start has every committed row', async () => {
  const owner = await spawnOwner();
  const before = Started.parse(owner.said);
  await query(before.connection, 'create table both_killed as select 7 as answer');
  process.kill(before.pid, 'SIGKILL');
  await killed(owner.process);

  const server = await start();
  expect(server.adopted).toBe(false);
  expect(await query(server.connection, 'select answer from both_killed')).toEqual([{ answer: 7 }]);
});

test('a second owner is told who has the data folder, in this process and in another', async () => {
  const server = await start();
  const told = {
    code: 'DATA_DIR_IN_USE',
    message: `The data folder ${dataDir} is in use by process ${process.pid}. Stop it, or set DATA_DIR to another folder.`,
  };
  await expect(start()).rejects.toMatchObject(told);
  expect(Refused.parse((await spawnOwner()).said)).toEqual(told);
  expect(await query(server.connection, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('of two owners that start at once on an empty folder one wins and the other is told', async () => {
  await rm(dataDir, { recursive: true });
  const results = await Promise.all([spawnOwner(), spawnOwner()]);
  const winners = results.filter(({ said }) => Started.safeParse(said).success);
  const losers = results.map(({ said }) => Refused.safeParse(said)).filter(({ success }) => success);
  expect(winners).toHaveLength(1);
  expect(losers).toHaveLength(1);
  expect(losers[0]?.data).toMatchObject({
    code: 'DATA_DIR_IN_USE',
    message: expect.stringContaining(`process ${winners[0]?.process.pid}.`),
  });
});

describe('postmaster.pid of a server that is gone', () => {
  const leftovers = {
    'names a process id that another program has by now': () => pidFileOf(dataDir, process.pid),
    'names a process id that another program of the server user has by now': async () =>
      pidFileOf(dataDir, await bystander(dataDir, owners)),
    'names a process id that is free': () => pidFileOf(dataDir, 2 ** 22 - 1),
    'is empty': () => '',
    'is cut short': () => '12',
    'is nonsense': () => 'hello\nworld\n',
  };
  test.each(Object.entries(leftovers))('does not stop the next start when it %s', async (_, content) => {
    const first = await start();
    await first.close();
    const file = path.join(first.connection.host, 'postmaster.pid');
    const left = await content();
    await writeFile(file, left);
    const lockFile = path.join(first.connection.host, '.s.PGSQL.5432.lock');
    await writeFile(lockFile, left);
    const { uid, gid } = await stat(first.connection.host);
    for (const each of [file, lockFile]) await chown(each, uid, gid);

    const second = await start();
    expect(second.adopted).toBe(false);
    expect(await query(second.connection, 'select 1 as one')).toEqual([{ one: 1 }]);
    for (const process of owners) expect(process.exitCode, 'the other program was left alone').toBeNull();
  });
});

unusualFolders({ scratch: () => scratch, moveDataTo, start, spawnOwner });

test('data of another major version is refused with both versions named, and left alone', async () => {
  const server = await start();
  await server.close();
  const home = path.join(dataDir, 'postgres');
  await rename(path.join(home, '18'), path.join(home, '17'));
  await expect(start()).rejects.toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
    message: expect.stringMatching(/made by PostgreSQL 17.*brings PostgreSQL 18/),
  });
  expect(await readdir(home)).not.toContain('18');

  await rename(path.join(home, '17'), path.join(home, '18'));
  await writeFile(path.join(home, '18', 'PG_VERSION'), '17\n');
  await expect(start()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
  await writeFile(path.join(home, '18', 'PG_VERSION'), '18\n');
});

test('a start that fails says why and lets the data folder go', async () => {
  const server = await start();
  await server.close();
  const control = path.join(server.connection.host, 'global', 'pg_control');
  await rename(control, `${control}.away`);
  await expect(start()).rejects.toMatchObject({
    code: 'DATABASE_UNAVAILABLE',
    details: { output: expect.stringContaining('could not find the database system') },
  });
  await rename(`${control}.away`, control);
  expect((await start()).adopted).toBe(false);
});

test.runIf(root)(
  'root starts it in a folder that nobody else may enter, and opens no folder for it',
  async () => {
    await chmod(scratch, 0o700);
    const server = await start();
    await query(server.connection, 'create table in_private as select 7 as answer');
    expect((await stat(scratch)).mode & 0o777).toBe(0o700);
    await server.close();

    const owner = await spawnOwner();
    const survivor = Started.parse(owner.said);
    expect(await readlink(`/proc/${survivor.pid}/cwd`)).toBe(path.join(dataDir, 'postgres', '18'));
    await killed(owner.process);
    const adopted = await start();
    expect(adopted).toMatchObject({ adopted: true, pid: survivor.pid });
    expect(await query(adopted.connection, 'select answer from in_private')).toEqual([{ answer: 7 }]);
  },
);

async function moveDataTo(folder: string): Promise<void> {
  await mkdir(path.dirname(folder), { recursive: true });
  await rename(dataDir, folder);
  dataDir = folder;
}

async function start(): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, fsync: false });
  open.push(server);
  return server;
}

function spawnNode(env: Record<string, string> = {}): ChildProcess {
  const child = spawn(process.execPath, [OWNER, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  owners.push(child);
  return child;
}

/** Another process that owns the data folder, once it has said how its start went. */
async function spawnOwner(env?: Record<string, string>): Promise<{ process: ChildProcess; said: unknown }> {
  const child = spawnNode(env);
  if (child.stdout === null) throw new Error('The process has no output.');
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { process: child, said: JSON.parse(z.string().parse(line)) };
}
