import { hasDecision } from '../../db/review.ts';
import { openCaseOf } from '../../db/review-cases.ts';
import { StorageError } from '../../domain/errors.ts';
import { type FileState, isPublic } from '../../domain/file-state.ts';
import { alreadyDecided, type Ruling } from './note.ts';

/**
 * Why nothing came of a decision: somebody was faster, or photos are refused in another way where this one is
 * (ILLEGAL_TRANSITION: nothing is settled by that).
 */
export async function refusedDecision(ruling: Ruling): Promise<StorageError> {
  const { file, decision } = ruling;
  const fitting = refusalIn(file.state);
  const isAnother = decision.decision !== 'approve' && fitting !== null && decision.decision !== fitting;
  if (!isAnother || (await isSettled(ruling))) return alreadyDecided();
  const where = { reject: 'in review', takedown: isPublic(file.state) ? 'public' : 'taken down' }[fitting];
  return new StorageError(
    'ILLEGAL_TRANSITION',
    `The photo is ${where}: to refuse it decide \`${fitting}\`, not \`${decision.decision}\`.`,
  );
}

function refusalIn(state: FileState): 'reject' | 'takedown' | null {
  if (state === 'in_review') return 'reject';
  return isPublic(state) || state === 'taken_down' ? 'takedown' : null;
}

/** Whether no case is left, because a person has decided. */
async function isSettled({ deps: { db }, file }: Ruling): Promise<boolean> {
  if ((await openCaseOf(db, file.id)) !== null) return false;
  return hasDecision(db, file.id, isPublic(file.state) ? 'approve' : 'takedown');
}
