import { findLatestRun } from '../db/runs.ts';
import type { Principal } from '../domain/access.ts';
import type { RunKind } from '../domain/runs.ts';
import type { ServiceDeps } from '../services/deps.ts';

/** Who asked, in the record of the runs that nobody asked for. */
export const SCHEDULE: Principal = { userId: 'schedule', roles: ['admin'] };
const HOUR_MS = 3_600_000;

/**
 * Whether so many hours have passed since the schedule last started a run of that kind with these parameters among
 * others; since `from`, when it never did. Null: the first is due at once.
 */
export async function isRunDue(
  { db, clock }: Pick<ServiceDeps, 'db' | 'clock'>,
  run: { readonly kind: RunKind; readonly params: object; readonly from: Date | null },
  hours: number,
): Promise<boolean> {
  const latest = await findLatestRun(db, run.kind, SCHEDULE.userId, run.params);
  const since = latest?.created_at ?? run.from;
  return since === null || since.getTime() <= clock.now().getTime() - hours * HOUR_MS;
}
