import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createFilesystemObjectStore } from '#src/adapters/object-store/filesystem.ts';
import { readStorage, recountStorage } from '#src/db/rollups.ts';
import type { Principal } from '#src/domain/access.ts';
import { isOver } from '#src/domain/runs.ts';
import { createRunsService, type Run, type RunsService } from '#src/services/runs.service.ts';
import { createStorageService, type StorageService } from '#src/services/storage.service.ts';
import { knowViews } from '#test/support/ageing.ts';
import { until, urlOf } from '#test/support/app.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { makeOldPhotos } from '#test/support/made-photos.ts';

const ADMIN: Principal = { userId: 'admin-1', roles: ['admin'] };
const WORKER = fileURLToPath(new URL('../lifecycle-process.ts', import.meta.url));

let database: TestDatabase;
let runs: RunsService;
let storage: StorageService;
let root: string;
const workers: { child: ChildProcess; copied: string[] }[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  root = await mkdtemp(join(tmpdir(), 'localex-lifecycle-'));
  const store = await createFilesystemObjectStore({
    root,
    publicUrl: 'http://127.0.0.1',
    signingKey: Buffer.alloc(32, 7),
    fsync: false,
  });
  storage = createStorageService({ store });
  runs = createRunsService(database);
  await knowViews(database);
});
afterEach(async () => {
  for (const { child } of workers.splice(0)) await kill(child);
});
afterAll(async () => {
  await database.close();
  await rm(root, { recursive: true, force: true });
});

function startWorker() {
  const child = spawn(process.execPath, [WORKER], {
    env: { ...process.env, DATABASE_URL: urlOf(database), STORE: root },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const copied: string[] = [];
  child.stdout.on('data', (chunk: Buffer) =>
    copied.push(
      ...chunk
        .toString()
        .split('\n')
        .filter((line) => line !== ''),
    ),
  );
  const worker = { child, copied };
  workers.push(worker);
  return worker;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

const start = (dryRun = false) => runs.start(ADMIN, 'lifecycle', {}, { dryRun });
const untilOver = (id: string) =>
  until('the run to be over', async () => {
    const { run } = await runs.get(ADMIN, id, { limit: 1 });
    return isOver(run.state) ? run : null;
  });
async function actionsOf(run: Run) {
  return database.db
    .selectFrom('run_actions')
    .selectAll()
    .where('run_id', '=', run.id)
    .orderBy('id')
    .execute();
}

describe('a run of the lifecycle', () => {
  test('that is killed in the middle goes on in another process, does nothing twice, and records all it did', async () => {
    const photos = await makeOldPhotos({ db: database.db, storage }, 60);
    const first = startWorker();
    const run = await start();
    await until('some of it to be done', async () => ((await actionsOf(run)).length >= 10 ? true : null));
    await kill(first.child);
    const before = (await actionsOf(run)).length;
    expect(before).toBeLessThan(photos.length);

    const second = startWorker();
    const done = await untilOver(run.id);
    expect(done).toMatchObject({ state: 'succeeded', reason: null });
    const subjects = (await actionsOf(run)).map((action) => action.subject);
    expect(subjects.toSorted()).toEqual(photos.map(({ key }) => key).toSorted());
    // Copied twice at most where the first died between a copy and its commit; then the second only noticed.
    const copied = [...first.copied, ...second.copied];
    expect(new Set(copied).size).toBe(copied.length);
    const rows = await database.db
      .selectFrom('files')
      .select('archive')
      .where('owner_id', '=', 'maker')
      .execute();
    expect(rows.every((row) => row.archive === 'archived')).toBe(true);
    const { totals } = await readStorage(database.db, 1);
    expect(totals).toEqual(await recountStorage(database.db));
    expect(totals).toMatchObject([
      { prefix: 'items/original', storageClass: 'GLACIER', objects: photos.length },
    ]);
  }, 60_000);

  test('that is dry records what it would do, with progress and a result, and changes nothing', async () => {
    const photos = await makeOldPhotos({ db: database.db, storage }, 5);
    const { copied } = startWorker();
    const run = await start(true);
    const done = await untilOver(run.id);
    expect(done).toMatchObject({
      state: 'succeeded',
      dryRun: true,
      result: { refused: [], rules: { 'item-originals-archive': { seen: 5, done: 5 } } },
    });
    expect(done.progress.done).toBeGreaterThanOrEqual(5);
    expect((await actionsOf(run)).map((action) => action.subject).toSorted()).toEqual(
      photos.map(({ key }) => key).toSorted(),
    );
    expect(copied).toEqual([]);
    for (const { key } of photos) expect((await storage.fileInfo(key)).storageClass).toBe('STANDARD');
  }, 60_000);

  test('that is cancelled ends at its next page, and the next one does the rest', async () => {
    const photos = await makeOldPhotos({ db: database.db, storage }, 250);
    startWorker();
    const run = await start();
    await until('some of it to be done', async () => ((await actionsOf(run)).length >= 5 ? true : null));
    await runs.cancel(ADMIN, run.id);
    const cancelled = await untilOver(run.id);
    expect(cancelled.state).toBe('cancelled');
    const before = (await actionsOf(run)).map((action) => action.subject);
    expect(before.length).toBeLessThan(photos.length);

    const next = await start();
    await untilOver(next.id);
    const after = (await actionsOf(next)).map((action) => action.subject);
    const archived = [...before, ...after];
    expect(new Set(archived).size).toBe(archived.length);
    // The five of the dry run before were due too.
    expect(archived).toEqual(expect.arrayContaining(photos.map(({ key }) => key)));
  }, 60_000);

  test('is for admins', async () => {
    for (const roles of [['seller'], ['moderator'], ['service']] as const)
      await expect(
        runs.start({ userId: 'somebody', roles }, 'lifecycle', {}, { dryRun: true }),
      ).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});
