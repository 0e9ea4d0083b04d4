import { findFile, lockFileAndItem, updateFile } from '../../db/files.ts';
import { closeCase } from '../../db/review-cases.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import type { Principal } from '../../domain/access.ts';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import { isPublic } from '../../domain/file-state.ts';
import type { FileId } from '../../domain/ids.ts';
import { CASE_PRIORITY } from '../../domain/review-case.ts';
import { REVIEW_REASONS, sellerMessage } from '../../domain/review-reasons.ts';
import type { Decision } from './contracts.ts';
import type { Photo } from '../photo.ts';
import { fileFor, viewOf } from '../photos/one-photo.ts';
import { withdrawCopy } from '../fingerprints/outcome.ts';
import { publishReviewed } from '../publication.ts';
import { alreadyDecided, caseFor, type DecideDeps, note, type Ruling } from './note.ts';
import { overturn } from './overturn.ts';
import { reject } from './reject.ts';
import { takeDown } from './take-down.ts';
import { refusedDecision } from './wrong-verb.ts';

/**
 * Carries out what a moderator decided. What it means goes by where the photo is: in review it is published or refused,
 * public it stays or is taken down, taken down (second look) it comes back or stays down.
 */
export async function decide(
  deps: DecideDeps,
  who: Principal,
  id: FileId,
  decision: Decision,
): Promise<Photo> {
  assertExplained(decision);
  const file = await fileFor(deps.db, who, 'decide', id);
  await caseFor(deps.db, who, file, false);
  try {
    const review = { decide: (by: Principal, other: FileId, its: Decision) => decide(deps, by, other, its) };
    await withdrawCopy({ ...deps, review }, who, file, decision);
    const ruling = { deps, who, file, decision };
    const decided = await carryOut(ruling);
    if (decided === null) throw await refusedDecision(ruling);
    return await viewOf(deps, who, decided);
  } catch (error) {
    // What the decision was to be made on is gone: somebody else was faster.
    if (isStorageError(error, 'NOT_FOUND') && (await hasMovedOn(deps, file))) throw alreadyDecided();
    throw error;
  }
}

function assertExplained({ decision, reason, reasonCode }: Decision): void {
  if (reason !== undefined) return;
  if (reasonCode === undefined && decision !== 'approve')
    throw new StorageError('INVALID_REQUEST', 'Give a reason: `reasonCode`, `reason`, or both.');
  if (reasonCode !== undefined && REVIEW_REASONS[reasonCode].needsText)
    throw new StorageError(
      'INVALID_REQUEST',
      `The reason "${reasonCode}" needs words of yours in \`reason\`.`,
    );
}

/** Null when the photo is not, or no longer, where that can be decided. */
async function carryOut(ruling: Ruling): Promise<FileRow | null> {
  const { deps, file, decision } = ruling;
  const alongside = (trx: Db) => note(trx, ruling);
  switch (decision.decision) {
    case 'approve':
      if (file.state === 'in_review') return publishReviewed(deps, file, alongside);
      return isPublic(file.state) ? settle(ruling) : overturn(ruling, alongside);
    case 'reject':
      return reject(deps.db, file, { ...told(ruling), alongside });
    case 'takedown':
      if (file.state === 'taken_down') return settle(ruling, told(ruling));
      return takeDown(deps, file, {
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
async function settle(ruling: Ruling, telling?: ReturnType<typeof told>): Promise<FileRow | null> {
  const { deps, file, decision } = ruling;
  return deps.db.transaction().execute(async (trx) => {
    const locked = await lockFileAndItem(trx, file.id);
    if (locked === null || locked.generation !== file.generation || locked.state !== file.state) return null;
    const open = await caseFor(trx, ruling.who, file, true);
    if (open === null) return null;
    await note(trx, ruling);
    await closeCase(trx, open.id, decision.decision);
    if (telling === undefined) return locked;
    const reason = { reason_message: telling.message, content_reason: telling.reasonCode };
    return updateFile(trx, { id: file.id, from: locked.state }, reason);
  });
}

async function hasMovedOn({ db }: DecideDeps, file: FileRow): Promise<boolean> {
  const now = await findFile(db, file.id);
  return now?.state !== file.state || now.generation !== file.generation;
}
