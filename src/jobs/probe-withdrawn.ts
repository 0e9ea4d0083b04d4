import { recordAccess } from '../db/access-log.ts';
import { claimProbes, keepProbe, type ProbeRow, postponeProbe } from '../db/cdn-probes.ts';
import { listPublishedKeys } from '../db/variants.ts';
import { isGone, type ProbeAnswer, type ProbeState } from '../domain/probe.ts';
import { probeGone } from '../services/cdn/probe.ts';
import type { ServiceDeps } from '../services/deps.ts';
import { SCHEDULE } from './scheduled-runs.ts';

export type ProbeDeps = Pick<ServiceDeps, 'db' | 'cdn' | 'clock' | 'log'>;

const AT_ONCE = 20;
const LEASE_SECONDS = 120;
/** The purge before it is on its way. */
const PURGE_SECONDS = 3;
const MAX_DELAY_SECONDS = 3600;
/** With delays that double from 5 s up to an hour: half a day. */
const MAX_ATTEMPTS = 20;

/**
 * Ends a take-down or a deletion: once its purge is done, asks for every withdrawn URL as a viewer does and keeps the
 * answers as proof. What is still served is purged and asked for again. How it ended is an entry of the audit ledger, so that
 * the proof cannot be changed and outlives the photo. Returns how many probes were settled.
 */
export async function probeWithdrawn(deps: ProbeDeps): Promise<number> {
  const probes = await claimProbes(deps.db, AT_ONCE, LEASE_SECONDS);
  let settled = 0;
  for (const probe of probes) if (await probeOne(deps, probe)) settled++;
  return settled;
}

async function probeOne(deps: ProbeDeps, probe: ProbeRow): Promise<boolean> {
  const { db, cdn, log } = deps;
  if (!(await cdn.isPurged(probe.ticket))) {
    await postponeProbe(db, probe.id, PURGE_SECONDS);
    return false;
  }
  const paths = await stillWithdrawn(deps, probe.paths);
  if (paths.length === 0) {
    await keepProbe(db, probe.id, { state: 'superseded', answers: [] }, 0);
    return true;
  }
  const { gone, answers } = await probeGone(deps, paths);
  if (gone) {
    await prove(deps, probe, { state: 'gone', answers });
    return true;
  }
  const left = answers.filter((answer) => !isGone(answer));
  const served = left.filter(({ status }) => status !== null && status < 400);
  const context = { fileId: probe.file_id, attempts: probe.attempts + 1, answers: left.slice(0, 10) };
  if (probe.attempts + 1 >= MAX_ATTEMPTS) {
    log.error(context, 'what was withdrawn was not shown to be gone');
    await prove(deps, probe, { state: served.length > 0 ? 'served' : 'unanswered', answers });
    return true;
  }
  if (served.length > 0) {
    log.error(context, 'what was withdrawn is still served; it is purged again');
    await cdn.invalidate(served.map(({ path }) => path));
  }
  const delay = Math.min(MAX_DELAY_SECONDS, 5 * 2 ** probe.attempts);
  await keepProbe(db, probe.id, { state: 'waiting', answers }, delay);
  return false;
}

async function prove(
  { db }: ProbeDeps,
  probe: ProbeRow,
  outcome: { readonly state: ProbeState; readonly answers: readonly ProbeAnswer[] },
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await keepProbe(trx, probe.id, outcome, 0);
    await recordAccess(trx, {
      userId: SCHEDULE.userId,
      action: 'removal.proof',
      fileId: probe.file_id,
      details: outcome,
    });
  });
}

/** Late work: what has come back meanwhile, after an appeal say, is rightly served. */
async function stillWithdrawn({ db }: ProbeDeps, paths: readonly string[]): Promise<string[]> {
  const stem = (path: string) => path.replace(/\.[a-z]+$/, '');
  const keys = paths.flatMap((path) =>
    ['jpg', 'webp', 'png', 'avif'].map((extension) => `${stem(path)}.${extension}`),
  );
  const live = new Set([...(await listPublishedKeys(db, [...new Set(keys)]))].map(stem));
  return paths.filter((path) => !live.has(stem(path)));
}
