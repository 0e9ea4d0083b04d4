import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createListener, type Listener } from '#src/db/listener.ts';
import type { Principal } from '#src/domain/access.ts';
import { StorageError } from '#src/domain/errors.ts';
import { isOver, type RunKind } from '#src/domain/runs.ts';
import { type RunHandler, type RunHandlers, startRunner } from '#src/jobs/runner.ts';
import { createRunsService, type Run, type RunsService } from '#src/services/runs.service.ts';
import { until } from '#test/support/app.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { silentLog } from '#test/support/silent-log.ts';
import { counting } from './counting-run.ts';
import { kill, workerProcess } from './worker-process.ts';

const ADMIN: Principal = { userId: 'admin-1', roles: ['admin'] };
const QUICK = { leaseMs: 500, pollMs: 50, backoff: { baseMs: 10, capMs: 50 } };

let database: TestDatabase;
let runs: RunsService;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  runs = createRunsService(database);
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await database.db.deleteFrom('runs').execute();
});
afterAll(() => database.close());

async function work(handlers: RunHandlers, options: object = {}) {
  const listener: Listener = createListener({ connection: database.connection, log: silentLog });
  const runner = await startRunner({ db: database.db, log: silentLog }, listener, handlers, {
    ...QUICK,
    ...options,
  });
  closing.push(
    () => listener.close(),
    () => runner.close(),
  );
  return runner;
}

const start = (kind: RunKind, params: Record<string, unknown> = {}) =>
  runs.start(ADMIN, kind, params, { dryRun: false });
const look = async (id: string): Promise<Run> => (await runs.get(ADMIN, id, { limit: 1 })).run;
const untilOver = (id: string) =>
  until(`run ${id} to be over`, async () => {
    const run = await look(id);
    return isOver(run.state) ? run : null;
  });

async function subjects(id: string): Promise<string[]> {
  const found: string[] = [];
  for (let after: string | null = '0'; after !== null; ) {
    const page: Awaited<ReturnType<RunsService['get']>> = await runs.get(ADMIN, id, { after, limit: 7 });
    found.push(...page.actions.map((action) => action.subject));
    after = page.next;
  }
  return found;
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => `${index + 1}`);

test('a run is done, with its progress, its result and all that it did', async () => {
  await work({ scrub: counting(0) });
  const asked = await start('scrub', { to: 20 });
  expect(asked).toMatchObject({ state: 'queued', requestedBy: 'admin-1', result: null });
  const done = await untilOver(asked.id);
  expect(done).toMatchObject({
    state: 'succeeded',
    progress: { done: 20, total: 20 },
    result: { counted: 20 },
    reason: null,
  });
  expect(await subjects(asked.id)).toEqual(upTo(20));
});

test('after a failure that may pass it goes on from its last checkpoint', async () => {
  let fails = 3;
  await work({
    async scrub(context) {
      const from = context.cursor;
      await context.checkpoint({ at: Number(from?.['at'] ?? 0) + 1 }, { done: 0, total: null, note: null });
      if (fails-- > 0) throw new StorageError('STORAGE_UNAVAILABLE');
      return { began: from };
    },
  });
  const { id } = await start('scrub');
  expect(await untilOver(id)).toMatchObject({ state: 'succeeded', result: { began: { at: 3 } } });
});

test('any other failure ends it with a reason that tells nothing of the inside', async () => {
  await work({
    scrub: () => Promise.reject(new StorageError('INVALID_REQUEST', 'There is nothing to scrub.')),
    reconcile: () => Promise.reject(new Error('secret at /var/lib')),
  });
  const [known, unknown] = [await start('scrub'), await start('reconcile')];
  expect((await untilOver(known.id)).reason).toEqual({
    code: 'INVALID_REQUEST',
    message: 'There is nothing to scrub.',
  });
  expect((await untilOver(unknown.id)).reason).toMatchObject({ code: 'INTERNAL' });
  expect(JSON.stringify(await look(unknown.id))).not.toContain('secret');
});

test('one that never succeeds is given up after eight beginnings', async () => {
  let begun = 0;
  await work({
    async scrub() {
      begun += 1;
      throw new StorageError('STORAGE_UNAVAILABLE');
    },
  });
  const { id } = await start('scrub');
  expect(await untilOver(id)).toMatchObject({ state: 'failed', reason: { code: 'STORAGE_UNAVAILABLE' } });
  expect(begun).toBe(8);
});

test('one that goes on a little each time is interrupted as often as it likes, by failures and by dead workers', async () => {
  let begun = 0;
  await work({
    async scrub({ run, cursor, checkpoint }) {
      begun += 1;
      const at = Number(cursor?.['at'] ?? 0) + 1;
      await checkpoint({ at }, { done: at, total: 20, note: null });
      if (at % 2 === 0 && at < 20) {
        // As if its worker had died here: nobody extends the lease any more, and another takes it.
        await database.db
          .updateTable('runs')
          .set({ holder: 'dead', lease_until: new Date(0) })
          .where('id', '=', run.id)
          .execute();
      }
      if (at < 20) throw new StorageError('STORAGE_UNAVAILABLE');
      return { at };
    },
  });
  const { id } = await start('scrub');
  expect(await untilOver(id)).toMatchObject({ state: 'succeeded', result: { at: 20 } });
  expect(begun).toBe(20);
});

test('saying again what was done already is no progress', async () => {
  let begun = 0;
  await work({
    async scrub({ checkpoint }) {
      begun += 1;
      await checkpoint({ begun }, { done: 3, total: null, note: null });
      throw new StorageError('STORAGE_UNAVAILABLE');
    },
  });
  const { id } = await start('scrub');
  expect(await untilOver(id)).toMatchObject({ state: 'failed' });
  expect(begun).toBe(8);
});

test('a waiting run that is cancelled never begins; one at work ends at its next step', async () => {
  const waiting = await start('scrub', { to: 5 });
  expect(await runs.cancel(ADMIN, waiting.id)).toMatchObject({ state: 'cancelled' });
  await work({ scrub: counting(2) });
  const running = await start('scrub', { to: 100_000 });
  await until('some steps', async () => ((await look(running.id)).progress.done > 3 ? true : null));
  expect(await runs.cancel(ADMIN, running.id)).toMatchObject({ state: 'running', cancelRequested: true });
  const over = await untilOver(running.id);
  expect(over.state).toBe('cancelled');
  expect(await subjects(running.id)).toEqual(upTo(over.progress.done));
  expect(await subjects(waiting.id)).toEqual([]);
  await expect(runs.cancel(ADMIN, running.id)).rejects.toMatchObject({ code: 'CONFLICT' });
});

test('a cancelled run that waits on its signal ends without a checkpoint', async () => {
  await work({
    scrub: ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new StorageError('ABORTED')));
      }),
  });
  const { id } = await start('scrub');
  await until('its beginning', async () => ((await look(id)).state === 'running' ? true : null));
  await runs.cancel(ADMIN, id);
  expect((await untilOver(id)).state).toBe('cancelled');
});

test('two of a kind are never at work at once, in any number of processes; other kinds are', async () => {
  const now = new Set<string>();
  const seen: string[] = [];
  const watched =
    (kind: string): RunHandler =>
    async (context) => {
      seen.push([...now, kind].toSorted().join('+'));
      now.add(kind);
      const result = await counting(3)(context);
      now.delete(kind);
      return result;
    };
  const handlers = { scrub: watched('scrub'), reconcile: watched('reconcile') };
  for (let process = 0; process < 3; process += 1) await work(handlers);
  const asked = await Promise.all(
    (['scrub', 'reconcile', 'scrub', 'reconcile', 'scrub'] as const).map((kind) => start(kind, { to: 10 })),
  );
  for (const { id } of asked) expect((await untilOver(id)).state).toBe('succeeded');
  expect(seen).not.toContain('scrub+scrub');
  expect(seen).not.toContain('reconcile+reconcile');
  expect(seen).toContain('reconcile+scrub');
});

test('at shutdown a run is handed back and goes on elsewhere, without losing one of its attempts', async () => {
  const first = await work({ scrub: counting(3) });
  const { id } = await start('scrub', { to: 40 });
  await until('some steps', async () => ((await look(id)).progress.done > 5 ? true : null));
  await first.close();
  expect(await look(id)).toMatchObject({ state: 'queued' });
  const row = await database.db.selectFrom('runs').select('attempts').executeTakeFirstOrThrow();
  expect(row.attempts).toBe(0);
  await work({ scrub: counting(0) });
  expect((await untilOver(id)).state).toBe('succeeded');
  expect(await subjects(id)).toEqual(upTo(40));
});

test('a worker that is killed loses nothing and does nothing twice', async () => {
  const { id } = await start('scrub', { to: 60 });
  for (let killed = 0; killed < 3; killed += 1) {
    const before = (await look(id)).progress.done;
    const child = workerProcess(database, closing);
    await until('steps of the process', async () =>
      (await look(id)).progress.done > before + 3 ? true : null,
    );
    await kill(child, 'SIGKILL');
  }
  await work({ scrub: counting(0) });
  expect((await untilOver(id)).state).toBe('succeeded');
  expect(await subjects(id)).toEqual(upTo(60));
});

test('a worker that stood still for longer than its lease writes no more when it wakes', async () => {
  const { id } = await start('scrub', { to: 60 });
  const child = workerProcess(database, closing);
  await until('steps of the process', async () => ((await look(id)).progress.done > 3 ? true : null));
  child.kill('SIGSTOP');
  await work({ scrub: counting(0) });
  expect((await untilOver(id)).state).toBe('succeeded');
  let said = '';
  child.stdout?.on('data', (chunk) => (said += String(chunk)));
  child.kill('SIGCONT');
  await until('the process to stop its run', async () => (said.includes('a run stopped') ? true : null));
  expect(await subjects(id)).toEqual(upTo(60));
});

test('only admins start, see and cancel runs, and both are audited', async () => {
  const { id } = await start('scrub');
  const others: Principal[] = [
    { userId: 'a', roles: ['seller'] },
    { userId: 'b', roles: ['moderator'] },
    { userId: 'c', roles: ['service'] },
  ];
  for (const who of others) {
    const calls = [
      runs.start(who, 'scrub', {}, { dryRun: true }),
      runs.list(who, { limit: 1 }),
      runs.get(who, id, { limit: 1 }),
      runs.cancel(who, id),
    ];
    for (const call of await Promise.allSettled(calls))
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'FORBIDDEN' } });
  }
  await runs.cancel(ADMIN, id);
  const audited = await database.db
    .selectFrom('audit.entries')
    .select(['user_id', 'action'])
    .where((eb) => eb(eb.ref('details', '->>').key('runId'), '=', id))
    .orderBy('id')
    .execute();
  expect(audited).toEqual([
    { user_id: 'admin-1', action: 'run.start' },
    { user_id: 'admin-1', action: 'run.cancel' },
  ]);
});

test('the list has pages, newest first, and one kind when asked', async () => {
  const asked: string[] = [];
  for (let count = 0; count < 5; count += 1)
    asked.unshift((await start(count === 2 ? 'backup' : 'scrub')).id);
  const first = await runs.list(ADMIN, { limit: 3 });
  const second = await runs.list(ADMIN, { limit: 3, after: first.next ?? '' });
  expect([...first.runs, ...second.runs].map((run) => run.id)).toEqual(asked);
  expect(second.next).toBeNull();
  expect((await runs.list(ADMIN, { kind: 'backup', limit: 3 })).runs.map((run) => run.kind)).toEqual([
    'backup',
  ]);
  await expect(runs.list(ADMIN, { limit: 3, after: 'x' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  await expect(runs.get(ADMIN, asked[0] ?? '', { limit: 3, after: '1;' })).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
  });
});
