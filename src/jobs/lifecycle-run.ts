import { z } from 'zod';
import type { LifecycleService } from '../services/lifecycle.service.ts';
import type { RunHandler } from './runner.ts';
import { SCHEDULE } from './scheduled-runs.ts';

const cursor = z.object({
  part: z.int(),
  after: z.string().nullable(),
  tallies: z.record(
    z.string(),
    z.object({
      seen: z.number(),
      done: z.number(),
      bytes: z.number(),
      savedUsd: z.number(),
      left: z.record(z.string(), z.number()),
    }),
  ),
});

/** A run of kind `lifecycle`: all rules of retention, one after another, from where the last worker left it. */
export function lifecycleRun(lifecycle: Pick<LifecycleService, 'carryOut'>): RunHandler {
  return async ({ run, dryRun, signal, cursor: place, checkpoint }) =>
    lifecycle.carryOut({
      dryRun,
      runId: run.id,
      signal,
      unattended: run.requestedBy === SCHEDULE.userId,
      cursor: place === null ? null : cursor.parse(place),
      checkpoint: (at, progress, actions) => checkpoint({ ...at }, progress, actions),
    });
}
