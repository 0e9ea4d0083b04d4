import { findDistrust, saveCanary } from '../db/scanner-canaries.ts';
import { type CanaryOutcome, distrustAfter } from '../domain/canary.ts';
import { eicarFile } from '../domain/eicar.ts';
import { isStorageError } from '../domain/errors.ts';
import type { ScannerHealth } from '../ports/scanner.ts';
import { scanAnswer } from './checks.ts';
import type { JobDeps } from './deps.ts';
import type { ScheduledTask } from './schedule.ts';

type CanaryDeps = Pick<JobDeps, 'db' | 'scanner' | 'moderator' | 'checkTimeoutMs' | 'clock' | 'log'>;

const NOTHING_TO_FIND = Buffer.from('There is nothing to find in this file.\n');

/** Tries the scanner at once and then again and again, in one of the processes that ask the same one. */
export function canaryTask(deps: CanaryDeps, everyMs: number): ScheduledTask {
  return {
    name: `scanner canary: ${deps.scanner.identity}`,
    everyMs,
    atOnce: true,
    run: () => tryScanner(deps),
  };
}

/**
 * Has the scanner look at the EICAR test file and at one that holds nothing, keeps how it did, and raises the alarm in the
 * log when that was wrong or when the scanner itself names a problem. While it is distrusted, `scanBytes` believes it no more.
 */
export async function tryScanner(deps: CanaryDeps): Promise<CanaryOutcome> {
  const { db, scanner, clock } = deps;
  const before = await findDistrust(db, scanner.identity);
  const signal = AbortSignal.timeout(deps.checkTimeoutMs * 3);
  const { outcome, error } = await outcomeOf(deps, signal);
  const health = await healthOf(deps, signal);
  const distrust = distrustAfter(outcome, before);
  await saveCanary(db, {
    scanner: scanner.identity,
    outcome,
    distrust,
    checked_at: clock.now(),
    version: health?.version ?? null,
    problem: health?.problem ?? null,
  });
  const about = { scanner: scanner.identity, version: health?.version };
  if (outcome !== 'ok')
    deps.log.error({ ...about, outcome, err: error, alarm: 'scanner canary' }, ALARMS[outcome]);
  else if (before !== null) deps.log.info(about, 'the virus scanner is believed again');
  if (health?.problem != null)
    deps.log.error(
      { ...about, problem: health.problem, alarm: 'scanner' },
      'the virus scanner has a problem',
    );
  return outcome;
}

const ALARMS: Readonly<Record<Exclude<CanaryOutcome, 'ok'>, string>> = {
  blind: 'the virus scanner did not find the test file: nothing it calls clean is published',
  accusing: 'the virus scanner finds something in a file that holds nothing: it is not believed',
  silent: 'the virus scanner gave no clear answer to the test file',
};

interface Tried {
  readonly outcome: CanaryOutcome;
  /** What made it silent. */
  readonly error?: unknown;
}

async function outcomeOf(deps: CanaryDeps, signal: AbortSignal): Promise<Tried> {
  try {
    const test = await scanAnswer(deps, eicarFile(), signal);
    if (test.verdict !== 'infected') return { outcome: 'blind' };
    const nothing = await scanAnswer(deps, NOTHING_TO_FIND, signal);
    return { outcome: nothing.verdict === 'clean' ? 'ok' : 'accusing' };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return { outcome: 'silent', error };
  }
}

/** Undefined when it does not answer, which the outcome tells. */
async function healthOf({ scanner }: CanaryDeps, signal: AbortSignal): Promise<ScannerHealth | undefined> {
  try {
    return await scanner.ping(signal);
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return undefined;
  }
}
