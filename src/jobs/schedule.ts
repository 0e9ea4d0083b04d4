import { randomUUID } from 'node:crypto';
import { takeLease } from '../db/leases.ts';
import type { Database } from '../db/schema.ts';
import type { Log } from '../ports/log.ts';

export interface ScheduledTask {
  readonly name: string;
  readonly everyMs: number;
  /** Also when the schedule starts. */
  readonly atOnce?: boolean;
  readonly run: () => Promise<unknown>;
}

/**
 * Runs tasks again and again, each in one process at a time: whoever holds the lease in the database. A task that fails
 * is reported and runs again at its next time; one that is still running is not started twice.
 */
export function startSchedule(
  db: Database,
  tasks: readonly ScheduledTask[],
  log: Log,
): { close(): Promise<void> } {
  const holder = randomUUID();
  const running = new Map<string, Promise<void>>();
  const tick = (task: ScheduledTask) => {
    if (running.has(task.name)) return;
    const run = runOnce(db, task, holder, log).finally(() => running.delete(task.name));
    running.set(task.name, run);
  };
  for (const task of tasks) if (task.atOnce === true) tick(task);
  const timers = tasks.map((task) => setInterval(() => tick(task), task.everyMs));
  return {
    async close() {
      for (const timer of timers) clearInterval(timer);
      await Promise.all(running.values());
    },
  };
}

async function runOnce(db: Database, task: ScheduledTask, holder: string, log: Log): Promise<void> {
  try {
    const seconds = Math.max(60, (task.everyMs / 1000) * 2);
    if (await takeLease(db, task.name, holder, seconds)) await task.run();
  } catch (error) {
    log.warn({ err: error, task: task.name }, 'a scheduled task failed');
  }
}
