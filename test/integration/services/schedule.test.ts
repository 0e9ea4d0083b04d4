import { afterAll, beforeAll, expect, test } from 'vitest';
import { shutDown } from '#src/app/shutdown.ts';
import { runSteps, type Step } from '#src/jobs/steps.ts';
import { startSchedule } from '#src/jobs/schedule.ts';
import { until } from '#test/support/app.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { recordingLog } from '#test/support/recording-log.ts';
import { silentLog } from '#test/support/silent-log.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

test('a task runs in one process at a time, never twice at once, and again after it failed', async () => {
  const log = recordingLog();
  const runs = [0, 0];
  let atOnce = 0;
  let most = 0;
  const schedules = [0, 1].map((process) =>
    startSchedule(
      database.db,
      [
        {
          name: 'sweep',
          everyMs: 5,
          run: async () => {
            atOnce += 1;
            most = Math.max(most, atOnce);
            runs[process] = (runs[process] ?? 0) + 1;
            await database.db.selectFrom('leases').selectAll().execute();
            atOnce -= 1;
            if (runs[process] === 1) throw new Error('the first run fails');
          },
        },
      ],
      log,
    ),
  );
  await until('three runs', async () => (Math.max(...runs) >= 3 ? true : null));
  for (const schedule of schedules) await schedule.close();
  expect(most).toBe(1);
  expect(Math.min(...runs)).toBe(0);
  expect(log.lines.map((line) => line.message)).toEqual(['a scheduled task failed']);
});

test('steps run in order until one stops, comes late, or its time is over', async () => {
  const ran: string[] = [];
  const step = (stage: Step<null>['stage'], result: 'go on' | 'stop' | 'late' = 'go on'): Step<null> => ({
    stage,
    run: async () => {
      ran.push(stage);
      return result;
    },
  });
  const guard = { signal: new AbortController().signal, show: async () => true };
  expect(await runSteps([step('inspect'), step('scan')], null, guard)).toBe('go on');
  expect(await runSteps([step('decode', 'stop'), step('scan')], null, guard)).toBe('stop');
  expect(await runSteps([step('moderate', 'late'), step('scan')], null, guard)).toBe('late');
  expect(await runSteps([step('derive')], null, { ...guard, show: async () => false })).toBe('late');
  const over = { ...guard, signal: AbortSignal.abort(new Error('late')) };
  await expect(runSteps([step('verify')], null, over)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  expect(ran).toEqual(['inspect', 'scan', 'decode', 'moderate']);
});

test('shutting down goes on after a part that fails or takes too long, and says that it was not clean', async () => {
  const closed: string[] = [];
  const phase = (name: string, run: () => Promise<void>) => ({
    name,
    limitMs: 20,
    run: async () => {
      closed.push(name);
      await run();
    },
  });
  const well = phase('well', async () => undefined);
  const failing = phase('failing', () => Promise.reject(new Error('no')));
  const hanging = phase('hanging', () => new Promise(() => undefined));
  expect(await shutDown([well], silentLog)).toBe(true);
  expect(await shutDown([failing, well], silentLog)).toBe(false);
  expect(await shutDown([hanging, well], silentLog)).toBe(false);
  expect(closed).toEqual(['well', 'failing', 'well', 'hanging', 'well']);
});
