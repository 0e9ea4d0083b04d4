import type { Config } from '../config/index.ts';
import { trimPurges } from '../db/purge-ledger.ts';
import { startPurger } from '../jobs/purge-cdn.ts';
import type { ScheduledTask } from '../jobs/schedule.ts';
import type { Composition } from './compose.ts';

const TRIM_MS = 3_600_000;

/**
 * What a worker does for CloudFront: carries purges to it, makes its geographic restriction that of the configuration
 * where one is configured, and says what else of the distribution does not fit. Nothing for the edge.
 */
export async function startPurges(
  config: Config,
  { cloudfront, db, listener, jobs }: Pick<Composition, 'cloudfront' | 'db' | 'listener' | 'jobs'>,
): Promise<{ readonly tasks: readonly ScheduledTask[]; close(): Promise<void> }> {
  if (cloudfront === null) return { tasks: [], close: async () => undefined };
  const { log } = jobs;
  const fit = async () => {
    if (config.cdn.geo.kind !== 'everywhere') await cloudfront.configure({ geo: config.cdn.geo });
    const problems = await cloudfront.inspect();
    if (problems.length > 0) log.warn({ problems }, 'the distribution is not as configured');
  };
  const fitting = fit().catch((error: unknown) =>
    log.warn({ err: error }, 'the distribution could not be looked at'),
  );
  const purger = await startPurger({ db, log, advance: () => cloudfront.advance() }, listener);
  return {
    tasks: [{ name: 'trim purges', everyMs: TRIM_MS, run: () => trimPurges(db) }],
    async close() {
      await purger.close();
      await fitting;
    },
  };
}
