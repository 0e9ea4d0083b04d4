import { listDamagedLogFiles, listUsage, type UsageDay } from '../db/usage.ts';
import { usageIngestedUntil } from '../db/views.ts';
import { assertMayAdminister, type Principal } from '../domain/access.ts';
import { StorageError } from '../domain/errors.ts';
import { type Day, dayOf, hitRatio } from '../domain/usage.ts';
import type { ServiceDeps } from './deps.ts';

export interface UsageReport {
  readonly from: Day;
  readonly to: Day;
  /** The latest first; those without a request are left out. */
  readonly days: readonly (UsageDay & { readonly hitRatio: number | null })[];
  /** Of the CDN's access log; null where the service's own edge counts. */
  readonly accessLogs: {
    /** What people looked at is known up to then; null before the first file was counted. */
    readonly ingestedUntil: string | null;
    /** Files that could not be read wholly, the latest first. */
    readonly damaged: readonly {
      readonly key: string;
      readonly damage: string;
      readonly deliveredAt: string;
    }[];
  } | null;
}

export interface UsageService {
  /**
   * What was delivered and looked at on each day from `from` to `to`, at most a year. Without `from` the thirty days up to
   * `to`, without `to` up to today, in UTC. FORBIDDEN, INVALID_REQUEST.
   */
  report(
    who: Principal,
    period?: { readonly from?: Day | undefined; readonly to?: Day | undefined },
  ): Promise<UsageReport>;
}

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 30;
const MAX_DAYS = 366;
const DAMAGED_SHOWN = 20;

export function createUsageService({
  db,
  clock,
  viewsComeFrom,
}: Pick<ServiceDeps, 'db' | 'clock'> & { readonly viewsComeFrom: 'edge' | 'logs' }): UsageService {
  return {
    async report(who, period = {}) {
      assertMayAdminister(who, 'read_report');
      const to = period.to ?? dayOf(clock.now());
      const from = period.from ?? dayOf(new Date(Date.parse(to) - (DEFAULT_DAYS - 1) * DAY_MS));
      const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
      if (!(days >= 1 && days <= MAX_DAYS))
        throw new StorageError('INVALID_REQUEST', `Ask for 1 to ${MAX_DAYS} days, the first of them first.`);
      const rows = await listUsage(db, from, to);
      return {
        from,
        to,
        days: rows.map((row) => ({ ...row, hitRatio: hitRatio(row) })),
        accessLogs: viewsComeFrom === 'edge' ? null : await accessLogs(db),
      };
    },
  };
}

async function accessLogs(db: ServiceDeps['db']): Promise<UsageReport['accessLogs']> {
  const until = await usageIngestedUntil(db);
  const damaged = await listDamagedLogFiles(db, DAMAGED_SHOWN);
  return {
    ingestedUntil: until?.toISOString() ?? null,
    damaged: damaged.map(({ deliveredAt, ...file }) => ({ ...file, deliveredAt: deliveredAt.toISOString() })),
  };
}
