import { longestUntried } from '../../db/object-checks.ts';
import { isRunOpen } from '../../db/runs.ts';
import { surveyLive } from '../../db/scrub.ts';
import type { ServiceDeps } from '../../services/deps.ts';
import type { RunsService } from '../../services/runs.service.ts';
import { isRunDue, SCHEDULE } from '../scheduled-runs.ts';
import type { ScrubParams } from '../scrub.ts';

export interface ScrubSchedule {
  /** Hours between two looks at all objects, which also read what is new; 0: no scrub at all. */
  readonly everyHours: number;
  /** Days in which all bytes are read again; 0: never. */
  readonly readAllDays: number;
}

const HOUR_MS = 3_600_000;
/** Small stores are done in few runs. Objects. */
const SMALLEST_SLICE = 500;
/** Read again when this share of the days has passed, so that none is late. */
const EARLY = 0.9;

/**
 * Starts the scrub that is due: the look at all objects, or the next part of reading all bytes, one an hour. None while
 * another waits or is at work. Safe to call as often as one likes, in one process at a time.
 */
export async function startDueScrub(
  deps: Pick<ServiceDeps, 'db' | 'clock'> & { readonly runs: Pick<RunsService, 'start'> },
  { everyHours, readAllDays }: ScrubSchedule,
): Promise<void> {
  if (everyHours === 0 || (await isRunOpen(deps.db, 'scrub'))) return;
  const start = (params: ScrubParams) => deps.runs.start(SCHEDULE, 'scrub', params, { dryRun: false });
  const isDue = (deep: boolean, hours: number) =>
    isRunDue(deps, { kind: 'scrub', params: { deep }, from: null }, hours);
  if (await isDue(false, everyHours)) {
    await start({ deep: false });
    return;
  }
  if (readAllDays === 0 || !(await isDue(true, 1))) return;
  const unreadHours = readAllDays * 24 * EARLY;
  const oldest = await longestUntried(deps.db);
  if (oldest === null || oldest.getTime() > deps.clock.now().getTime() - unreadHours * HOUR_MS) return;
  const { count } = await surveyLive(deps.db);
  const objects = Math.max(SMALLEST_SLICE, Math.ceil(count / unreadHours));
  await start({ deep: true, slice: { objects, unreadHours } });
}
