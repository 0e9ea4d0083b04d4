import { z } from 'zod';
import { recordAccess } from '../db/access-log.ts';
import { listEntries } from '../db/audit/entries.ts';
import { anchorHead } from '../services/audit/anchors.ts';
import { keepMonths } from '../services/audit/retention.ts';
import { type AuditVerdict, inShort } from '../services/audit/verdict.ts';
import { type VerifyDeps, type VerifyState, verifyLedger } from '../services/audit/verify.ts';
import type { Clock } from '../ports/clock.ts';
import type { RunHandler } from './runner.ts';
import type { ScheduledTask } from './schedule.ts';

export type AuditUpkeepDeps = VerifyDeps & { readonly clock: Clock };

const DAY_MS = 86_400_000;
/** How often it is asked whether a day has passed: processes may live shorter than one. */
const DUE_MS = 600_000;
/** Who acts where nobody asked. */
const SCHEDULE = 'schedule';

/** What the ledger needs again and again: anchors, months, and a look at the whole chain. */
export function auditTasks(
  deps: AuditUpkeepDeps,
  { anchorMs, retentionMonths }: { readonly anchorMs: number; readonly retentionMonths: number },
): readonly ScheduledTask[] {
  return [
    { name: 'anchor the audit ledger', everyMs: anchorMs, run: () => anchorHead(deps) },
    {
      name: 'keep the months of the audit ledger',
      everyMs: DAY_MS / 4,
      run: () => keepMonths(deps, deps.clock.now(), retentionMonths),
    },
    { name: 'verify the audit ledger', everyMs: DUE_MS, run: () => verifyIfDue(deps) },
  ];
}

/** Once a day, by the ledger's own entries. Says loudly when the ledger is damaged. */
async function verifyIfDue(deps: AuditUpkeepDeps): Promise<void> {
  const from = new Date(deps.clock.now().getTime() - DAY_MS);
  const [last] = await listEntries(deps.db, { userId: SCHEDULE, action: 'audit.verify', from }, { limit: 1 });
  if (last === undefined) await conclude(deps, SCHEDULE, {}, await verifyLedger(deps, { from: 'start' }));
}

/** The verdict is an entry of the ledger, and damage an error in the log. */
async function conclude(
  deps: AuditUpkeepDeps,
  userId: string,
  about: object,
  verdict: AuditVerdict,
): Promise<void> {
  const { ok, problem, checked } = verdict;
  if (!ok) deps.log.error({ checked, problem }, 'the audit ledger is damaged');
  const details = { ...about, ...inShort(verdict) };
  await recordAccess(deps.db, { userId, action: 'audit.verify', fileId: null, details });
}

const Place = z.object({ seq: z.int(), hash: z.hex() });
const Cursor = z.object({
  start: Place,
  place: Place,
  outside: z.object({ atUs: z.int(), id: z.int() }).nullable(),
});

/** Pages between two checkpoints: a verification that dies does so many thousand rows again. */
const PAGES = 10;

/** A run of kind `verify-audit`: the whole ledger, from the beginning. Its result is the verdict. */
export function verifyAudit(deps: AuditUpkeepDeps): RunHandler {
  return async ({ run, cursor, checkpoint }) => {
    const resume = cursor === null ? null : stateOf(Cursor.parse(cursor));
    let pages = 0;
    const verdict = await verifyLedger(deps, {
      from: 'start',
      ...(resume !== null && { resume }),
      async onPage(state) {
        pages += 1;
        if (pages % PAGES !== 0) return;
        const note = state.outside === null ? 'computing the chain' : 'looking for rows outside the chain';
        await checkpoint(cursorOf(state), { done: state.place.seq - state.start.seq, total: null, note });
      },
    });
    await conclude(deps, run.requestedBy, { runId: run.id }, verdict);
    return verdict;
  };
}

function cursorOf({ start, place, outside }: VerifyState): z.infer<typeof Cursor> {
  const text = ({ seq, hash }: VerifyState['place']) => ({ seq, hash: Buffer.from(hash).toString('hex') });
  return { start: text(start), place: text(place), outside };
}

function stateOf({ start, place, outside }: z.infer<typeof Cursor>): VerifyState {
  const bytes = ({ seq, hash }: z.infer<typeof Place>) => ({ seq, hash: Buffer.from(hash, 'hex') });
  return { start: bytes(start), place: bytes(place), outside };
}
