import { lockFileAndItem, updateFile } from '../../db/files.ts';
import { closeCase } from '../../db/review-cases.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { isPublic } from '../../domain/file-state.ts';
import { CASE_PRIORITY } from '../../domain/review-case.ts';
import { sellerMessage } from '../../domain/review-reasons.ts';
import { type Committed, commitTogether, type Prepared, rowsOnly } from '../prepared.ts';
import { preparePublication } from '../publication.ts';
import { caseFor, type DecideDeps, note, type Ruling } from './note.ts';
import { prepareOverturn } from './overturn.ts';
import { prepareRejection } from './reject.ts';
import { prepareTakeDown } from './take-down.ts';

/**
 * Carries out decisions on one or several photos, all or none, in one transaction with what `alongside` writes: objects are put
 * in place before it, and removed again when nothing comes of it. What it means goes by where each photo is: in review it is
 * published or refused, public it stays or is taken down, taken down (second look) it comes back or stays down. Null when one
 * of the photos is not, or no longer, where that can be decided. Errors: as `note`.
 */
export async function carryOut(
  deps: DecideDeps,
  rulings: readonly Ruling[],
  alongside?: (trx: Db) => Promise<void>,
): Promise<readonly Committed[] | null> {
  const changes = await prepareAll(rulings);
  const made = changes && (await commitTogether(deps.db, changes, alongside));
  if (made === null) return null;
  for (const { file, decision } of rulings)
    if (decision.decision === 'takedown' && isPublic(file.state)) await deps.deliverNow(file.id);
  return made;
}

async function prepareAll(rulings: readonly Ruling[]): Promise<Prepared[] | null> {
  const changes: Prepared[] = [];
  const undo = async () => {
    for (const change of changes) await change.undo();
  };
  try {
    for (const ruling of rulings) {
      const change = await prepare(ruling);
      if (change === null) {
        await undo();
        return null;
      }
      changes.push(change);
    }
  } catch (error) {
    await undo();
    throw error;
  }
  return changes;
}

async function prepare(ruling: Ruling): Promise<Prepared | null> {
  const { deps, file, decision } = ruling;
  const alongside = (trx: Db) => note(trx, ruling);
  switch (decision.decision) {
    case 'approve':
      if (file.state === 'in_review') return preparePublication(deps, file, alongside);
      return isPublic(file.state) ? settlement(ruling) : prepareOverturn(ruling, alongside);
    case 'reject':
      return prepareRejection(file, { ...told(ruling), alongside });
    case 'takedown':
      if (file.state === 'taken_down') return settlement(ruling, told(ruling));
      return prepareTakeDown(deps, file, {
        ...told(ruling),
        secondLook: {
          priority: CASE_PRIORITY.second_look,
          notBy: ruling.who.userId,
          forAllAt: new Date(deps.clock.now().getTime() + deps.limits.secondLookSeconds * 1000),
        },
        alongside,
      });
  }
}

function told({ decision: { reason, reasonCode } }: Ruling) {
  return { message: sellerMessage(reasonCode ?? null, reason ?? ''), reasonCode: reasonCode ?? null };
}

/**
 * Ends a case whose photo stays where it is: a public one that nothing speaks against, a take-down that is confirmed, whose
 * seller then reads what confirmed it.
 */
function settlement(ruling: Ruling, telling?: ReturnType<typeof told>): Prepared {
  const { file } = ruling;
  return rowsOnly(file, async (trx): Promise<FileRow | null> => {
    const locked = await lockFileAndItem(trx, file.id);
    if (locked === null || locked.generation !== file.generation || locked.state !== file.state) return null;
    const open = await caseFor(trx, ruling.who, file, true);
    if (open === null) return null;
    await note(trx, ruling);
    await closeCase(trx, open.id, ruling.decision.decision);
    if (telling === undefined) return locked;
    const reason = { reason_message: telling.message, content_reason: telling.reasonCode };
    return updateFile(trx, { id: file.id, from: locked.state }, reason);
  });
}
