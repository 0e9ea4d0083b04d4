import { insertAnchor } from '../../db/audit/anchors.ts';
import { dropMonth, findMonthEnd, listMonths, prepareMonths, trimSeals } from '../../db/audit/months.ts';
import { auditDropKey } from '../../domain/keys.ts';
import { hex, putAnchor } from './anchors.ts';
import { type VerifyDeps, verifyLedger } from './verify.ts';

/** Months that are made before they are needed. */
const AHEAD = 3;
/** Seals removed in one transaction. */
const TRIM = 20_000;

/**
 * Makes the months to come, and drops those that have been over for longer than `months`: oldest first, each only after
 * its part of the chain was verified and its end written to the object store. A month that is damaged is evidence
 * and stays. Resolves to the months that were dropped.
 */
export async function keepMonths(deps: VerifyDeps, now: Date, months: number): Promise<readonly string[]> {
  await prepareMonths(deps.db, AHEAD);
  const kept = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1))
    .toISOString()
    .slice(0, 7);
  const dropped: string[] = [];
  for (const month of await listMonths(deps.db)) {
    if (month >= kept || !(await drop(deps, month))) break;
    dropped.push(month);
  }
  while ((await trimSeals(deps.db, TRIM)) === TRIM);
  return dropped;
}

async function drop(deps: VerifyDeps, month: string): Promise<boolean> {
  const end = await findMonthEnd(deps.db, month);
  // Nothing was written in it, or before it.
  if (end === null) return false;
  const verdict = await verifyLedger(deps, { from: 'start', upTo: end.cut.seq });
  if (!verdict.ok) {
    deps.log.error({ month, problem: verdict.problem }, 'audit entries are damaged and are not dropped');
    return false;
  }
  const { seq } = end.cut;
  const hash = hex(end.cut.hash);
  const key = auditDropKey(month, seq, hash);
  const beyond = end.beyond.map((seal) => ({ seq: seal.seq, hash: hex(seal.hash) }));
  await putAnchor(deps, key, { kind: 'drop', month, seq, hash, beyond });
  await insertAnchor(deps.db, { key, kind: 'drop', seq, hash: end.cut.hash, month: `${month}-01` });
  await dropMonth(deps.db, month);
  deps.log.info({ month, seq, hash }, 'audit entries of a month were dropped');
  return true;
}
