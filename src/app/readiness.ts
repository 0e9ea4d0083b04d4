import { sql } from 'kysely';
import { findAlarm } from '../db/alarms.ts';
import { listCanaries } from '../db/scanner-canaries.ts';
import type { Database } from '../db/schema.ts';
import { REVIEW_ALARM } from '../domain/review-case.ts';
import type { Readiness } from '../http/deps.ts';
import { systemClock } from '../ports/clock.ts';
import type { Composition } from './compose.ts';

const LIMIT_MS = 2000;

/** Asks everything the service needs whether it answers, at once, each for two seconds at most. */
export async function checkReadiness(parts: Composition): Promise<readonly Readiness[]> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  return Promise.all([
    check(
      'database',
      signal,
      answers(() => sql`select 1`.execute(parts.db)),
    ),
    check(
      'object store',
      signal,
      answers(() => parts.store.ping(signal)),
    ),
    withoutIt(
      check(
        'queue',
        signal,
        answers(() => parts.queue.ping(signal)),
      ),
    ),
    withoutIt(check('scanner', signal, async () => (await parts.jobs.scanner.ping(signal)).problem)),
    check('scanner canary', signal, () => problemOfCanaries(parts.db)),
    check('review', signal, async () => (await findAlarm(parts.db, REVIEW_ALARM))?.problem ?? null),
    check(
      'moderator',
      signal,
      answers(() => parts.jobs.moderator.ping(signal)),
    ),
    withoutIt(
      check(
        'search',
        signal,
        answers(() => parts.searching.index.ping(signal)),
      ),
    ),
    check(
      'keys',
      signal,
      answers(() => parts.keys.ping()),
    ),
  ]);
}

/** Of what the service can be without for a while: photos wait, and all others are served. */
async function withoutIt(checked: Promise<Readiness>): Promise<Readiness> {
  const found = await checked;
  return found.ok ? found : { ...found, degraded: true };
}

/** Scanners that are gone are forgotten after so long. Milliseconds. */
const CANARY_KEPT_MS = 3_600_000;

/** Which scanners failed when they were last tried; null when none did. */
async function problemOfCanaries(db: Database): Promise<string | null> {
  const canaries = await listCanaries(db, new Date(systemClock.now().getTime() - CANARY_KEPT_MS));
  const failing = canaries.filter(({ outcome, distrust }) => outcome !== 'ok' || distrust !== null);
  if (failing.length === 0) return null;
  return failing.map(({ scanner, outcome, distrust }) => `${scanner}: ${distrust ?? outcome}`).join('; ');
}

/** Of what either answers or does not. */
function answers(ask: () => Promise<unknown>): () => Promise<null> {
  return async () => {
    await ask();
    return null;
  };
}

/** @param ask resolves to what is wrong although it answers; null when nothing is */
async function check(
  name: string,
  signal: AbortSignal,
  ask: () => Promise<string | null>,
): Promise<Readiness> {
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('no answer')), { once: true });
  });
  try {
    const problem = await Promise.race([ask(), late]);
    return problem === null ? { name, ok: true } : { name, ok: true, degraded: true, error: problem };
  } catch (error) {
    return { name, ok: false, error: error instanceof Error ? error.message : 'unknown' };
  }
}
