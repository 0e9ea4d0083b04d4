import { findFile } from '../../db/files.ts';
import type { FileRow } from '../../db/schema.ts';
import type { Principal } from '../../domain/access.ts';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import type { FileId } from '../../domain/ids.ts';
import { REVIEW_REASONS } from '../../domain/review-reasons.ts';
import { copiesNamed } from '../fingerprints/named-copies.ts';
import type { Photo } from '../photo.ts';
import { fileFor, viewOf } from '../photos/one-photo.ts';
import { carryOut } from './carry-out.ts';
import type { Decision } from './contracts.ts';
import { alreadyDecided, caseFor, type DecideDeps } from './note.ts';
import { refusedDecision } from './wrong-verb.ts';

/**
 * Carries out what a moderator decided of a photo, together with what it says of others that show the same: those that it names
 * as copies are withdrawn.
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
  const ruling = { deps, who, file, decision };
  try {
    const copies = await copiesNamed(deps.db, who, file, decision);
    const made = await carryOut(deps, [ruling, ...copies.map((copy) => ({ deps, who, ...copy }))]);
    const decided = made?.[0]?.file;
    if (!decided) throw await refusedDecision(ruling);
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

async function hasMovedOn({ db }: DecideDeps, file: FileRow): Promise<boolean> {
  const now = await findFile(db, file.id);
  return now?.state !== file.state || now.generation !== file.generation;
}
