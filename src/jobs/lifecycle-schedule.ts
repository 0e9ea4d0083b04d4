import { isRunOpen } from '../db/runs.ts';
import { viewsKnownSince } from '../db/views.ts';
import type { ServiceDeps } from '../services/deps.ts';
import type { RunsService } from '../services/runs.service.ts';
import { isRunDue, SCHEDULE } from './scheduled-runs.ts';

/**
 * Starts the lifecycle run that is due, the first one `everyHours` after the installation: nothing is old before. None
 * while another waits or is at work, or when `everyHours` is 0. Safe to call as often as one likes, in one process at a
 * time.
 */
export async function startDueLifecycle(
  deps: Pick<ServiceDeps, 'db' | 'clock'> & { readonly runs: Pick<RunsService, 'start'> },
  everyHours: number,
): Promise<void> {
  if (everyHours === 0 || (await isRunOpen(deps.db, 'lifecycle'))) return;
  const from = await viewsKnownSince(deps.db);
  if (await isRunDue(deps, { kind: 'lifecycle', params: {}, from }, everyHours))
    await deps.runs.start(SCHEDULE, 'lifecycle', {}, { dryRun: false });
}
