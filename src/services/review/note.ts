import { recordAccess } from '../../db/access-log.ts';
import { insertDecision } from '../../db/review.ts';
import { type CaseFor, findOpenCase } from '../../db/review-claims.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import type { Principal } from '../../domain/access.ts';
import { StorageError } from '../../domain/errors.ts';
import { rememberDecision } from '../fingerprints/from-decision.ts';
import type { Decision } from './contracts.ts';
import type { ServiceDeps } from '../deps.ts';

export type DecideDeps = Pick<ServiceDeps, 'db' | 'cdn' | 'storage' | 'clock' | 'limits' | 'deliverNow'>;

/** A decision that is being carried out on the file as it was found. */
export interface Ruling {
  readonly deps: DecideDeps;
  readonly who: Principal;
  readonly file: FileRow;
  readonly decision: Decision;
}

/** Writes a decision down, in its transaction and before the file changes. Errors: as `caseFor`. */
export async function note(trx: Db, { who, file, decision }: Ruling): Promise<void> {
  const open = await caseFor(trx, who, file, true);
  const { reason = '', reasonCode = null, match, matches } = decision;
  await insertDecision(trx, {
    fileId: file.id,
    moderatorId: who.userId,
    caseId: open?.id ?? null,
    decision: decision.decision,
    reason,
    reasonCode,
  });
  await recordAccess(trx, {
    userId: who.userId,
    action: `photo.${decision.decision}`,
    fileId: file.id,
    details: {
      reason,
      ...(reasonCode !== null && { reasonCode }),
      ...(match !== undefined && { match }),
      ...(matches !== undefined && { matches }),
      // Nobody else was there to look at it again.
      ...(open?.not_by.includes(who.userId) && { isOwnDecision: true }),
    },
  });
  await rememberDecision(trx, { file, by: who.userId, decision });
}

/**
 * The open case of a file, for a moderator who is about to decide it; null when it has none. `lock`: until the transaction
 * ends. Errors: CLAIMED while somebody else has it; ALREADY_DECIDED and FORBIDDEN for whose own decision is to be looked
 * at again.
 */
export async function caseFor(
  db: Db,
  who: Principal,
  file: Pick<FileRow, 'id'>,
  lock: boolean,
): Promise<CaseFor | null> {
  const open = await findOpenCase(db, file.id, who.userId, lock);
  if (open?.isTaken) throw new StorageError('CLAIMED', 'Another moderator has this photo before them.');
  if (!open?.isReserved) return open;
  if (open.source === 'second_look') throw alreadyDecided();
  throw new StorageError(
    'FORBIDDEN',
    'The seller objects to your decision: for a day this is for another moderator.',
  );
}

export function alreadyDecided(): StorageError {
  return new StorageError('ALREADY_DECIDED', 'Somebody has decided already, or the photo has changed.');
}
