import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import pg from 'pg';
import { createListener, type Listener } from '#src/db/listener.ts';
import { createUploadLocks, type UploadLocks } from '#src/db/upload-locks.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { silentLog } from '#test/support/silent-log.ts';

interface Process {
  readonly locks: UploadLocks;
  readonly listener: Listener;
}

let database: TestDatabase;
let one: Process;
let other: Process;
const never = new AbortController().signal;
let id = '';
beforeAll(async () => {
  database = await createTestDatabase();
  [one, other] = [await start(), await start()];
});
afterAll(async () => {
  for (const { locks, listener } of [one, other]) {
    await locks.close();
    await listener.close();
  }
  await database.close();
});
beforeEach(() => {
  id = crypto.randomUUID();
});

/** What each process has: a listener and a session of its own. */
async function start(): Promise<Process> {
  const { connection } = database;
  const listener = createListener({ connection, log: silentLog });
  return { listener, locks: await createUploadLocks({ connection, listener, log: silentLog }) };
}

describe.each([
  ['in one process', () => [one, one] as const],
  ['in two processes', () => [one, other] as const],
])('a lock %s', (_where, processes) => {
  test('has one holder at a time, who is asked to let go by the next', async () => {
    const [first, second] = processes();
    const asked = Promise.withResolvers<void>();
    const unlock = await first.locks.take(id, never, asked.resolve);
    let isTaken = false;
    const next = second.locks
      .take(id, never, () => undefined)
      .then((give) => {
        isTaken = true;
        return give;
      });
    await asked.promise;
    expect(isTaken).toBe(false);
    await unlock();
    await (await next)();
    expect(isTaken).toBe(true);
  });

  test('is taken by all of twenty, one after another', async () => {
    const [first, second] = processes();
    let holders = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const unlock = await (index % 2 === 0 ? first : second).locks.take(id, never, () => undefined);
        holders += 1;
        most = Math.max(most, holders);
        await Promise.resolve();
        holders -= 1;
        await unlock();
      }),
    );
    expect(most).toBe(1);
  });

  test('is no longer waited for once the request is over', async () => {
    const [first, second] = processes();
    const unlock = await first.locks.take(id, never, () => undefined);
    const over = new AbortController();
    const waiting = second.locks.take(id, over.signal, () => undefined);
    over.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
    await unlock();
    await (await second.locks.take(id, never, () => undefined))();
  });
});

test('other uploads are not waited for', async () => {
  let isAsked = false;
  const unlock = await one.locks.take(id, never, () => {
    isAsked = true;
  });
  await (await other.locks.take(crypto.randomUUID(), never, () => undefined))();
  expect(isAsked).toBe(false);
  await unlock();
});

test('a process whose session breaks loses its locks at once, and is told', async () => {
  const dying = await start();
  const lost = Promise.withResolvers<void>();
  await dying.locks.take(id, never, lost.resolve);
  const admin = new pg.Client(database.connection);
  await admin.connect();
  await admin.query(
    `select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid)
     where locktype = 'advisory' and datname = current_database()`,
  );
  await admin.end();
  await expect(lost.promise).resolves.toBeUndefined();
  const unlock = await other.locks.take(id, never, () => undefined);
  await unlock();
  await dying.locks.close();
  await dying.listener.close();
});
