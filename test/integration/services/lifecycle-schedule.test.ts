import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Principal } from '#src/domain/access.ts';
import { startDueLifecycle } from '#src/jobs/lifecycle-schedule.ts';
import { createRunsService, type RunsService } from '#src/services/runs.service.ts';
import { knowViews } from '#test/support/ageing.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';

const ADMIN: Principal = { userId: 'admin-1', roles: ['admin'] };
const HOUR = 3_600_000;

let database: TestDatabase;
let runs: RunsService;
beforeAll(async () => {
  database = await createTestDatabase();
  runs = createRunsService(database);
  // The template that the database is a copy of may be older than this test by minutes.
  await knowViews(database, 0);
});
afterAll(() => database.close());

/** The schedule looks at it, so many hours after the installation. */
async function tick(hours: number, everyHours = 24): Promise<void> {
  const clock = { now: () => new Date(Date.now() + hours * HOUR) };
  await startDueLifecycle({ db: database.db, runs, clock }, everyHours);
}
const scheduled = async () =>
  database.db
    .selectFrom('runs')
    .select(['kind', 'dry_run'])
    .where('requested_by', '=', 'schedule')
    .orderBy('created_at')
    .execute();
async function endAll(): Promise<void> {
  await database.db.updateTable('runs').set({ state: 'succeeded', finished_at: new Date() }).execute();
}

test('the lifecycle is carried out once a day, the first time a day after the installation', async () => {
  await tick(23.9);
  expect(await scheduled()).toEqual([]);
  await tick(24.1);
  await tick(24.1);
  expect(await scheduled()).toEqual([{ kind: 'lifecycle', dry_run: false }]);
  await endAll();
  await tick(23.9);
  expect(await scheduled()).toHaveLength(1);
  await tick(24.1);
  expect(await scheduled()).toHaveLength(2);
  await endAll();
});

test('never at once with one that somebody started, and not at all where it is turned off', async () => {
  const before = (await scheduled()).length;
  await runs.start(ADMIN, 'lifecycle', {}, { dryRun: true });
  await tick(1_000);
  expect(await scheduled()).toHaveLength(before);
  await endAll();
  await tick(1_000, 0);
  expect(await scheduled()).toHaveLength(before);
  await tick(1_000);
  expect(await scheduled()).toHaveLength(before + 1);
});
