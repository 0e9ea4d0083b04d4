import { recordAccess } from '../db/access-log.ts';
import { clearAlarm, raiseAlarm } from '../db/alarms.ts';
import { findLateCases } from '../db/review-queue.ts';
import { REVIEW_ALARM } from '../domain/review-case.ts';
import type { JobDeps } from './deps.ts';
import { SCHEDULE } from './scheduled-runs.ts';

type Deps = Pick<JobDeps, 'db' | 'clock' | 'limits' | 'log'>;

/**
 * Raises the alarm when a photo waits longer for a moderator than it may, and clears it when none does any more: in the log,
 * for `/readyz` and the review page, and in the audit ledger, each once. Returns how many wait too long.
 */
export async function watchReview({ db, clock, limits, log }: Deps): Promise<number> {
  const now = clock.now();
  const late = await findLateCases(db, new Date(now.getTime() - limits.reviewAlarmSeconds * 1000));
  const about = { count: late.count, oldest: late.oldest?.toISOString() ?? null };
  const hours = limits.reviewAlarmSeconds / 3600;
  await db.transaction().execute(async (trx) => {
    const problem = `${late.count} waiting for more than ${hours} h`;
    const isChanged =
      late.count > 0
        ? await raiseAlarm(trx, { name: REVIEW_ALARM, problem, at: now })
        : await clearAlarm(trx, REVIEW_ALARM);
    if (!isChanged) return;
    const action = late.count > 0 ? 'alarm.raise' : 'alarm.clear';
    const details = { alarm: REVIEW_ALARM, hours, ...about };
    await recordAccess(trx, { userId: SCHEDULE.userId, action, fileId: null, details });
    if (late.count > 0)
      log.error({ ...about, hours, alarm: REVIEW_ALARM }, 'photos wait too long for a moderator');
    else log.info({ hours }, 'no photo waits too long for a moderator any more');
  });
  return late.count;
}
