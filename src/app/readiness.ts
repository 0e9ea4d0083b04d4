import { sql } from 'kysely';
import type { Readiness } from '../http/deps.ts';
import type { Composition } from './compose.ts';

const LIMIT_MS = 2000;

/** Asks everything the service needs whether it answers, at once, each for two seconds at most. */
export async function checkReadiness(parts: Composition): Promise<readonly Readiness[]> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  return Promise.all([
    check('database', signal, () => sql`select 1`.execute(parts.db)),
    check('object store', signal, () => parts.store.ping(signal)),
    check('queue', signal, () => parts.queue.ping(signal)),
    check('scanner', signal, () => parts.jobs.scanner.ping(signal)),
    check('moderator', signal, () => parts.jobs.moderator.ping(signal)),
    check('keys', signal, () => parts.keys.ping()),
  ]);
}

async function check(name: string, signal: AbortSignal, ask: () => Promise<unknown>): Promise<Readiness> {
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('no answer')), { once: true });
  });
  try {
    await Promise.race([ask(), late]);
    return { name, ok: true };
  } catch (error) {
    return { name, ok: false, error: error instanceof Error ? error.message : 'unknown' };
  }
}
