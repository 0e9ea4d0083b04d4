import { findFile } from '../../db/files.ts';
import { findOpenPair, type Pair } from '../../db/photo-matches.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { assertOwnsNeither, type Principal } from '../../domain/access.ts';
import { StorageError } from '../../domain/errors.ts';
import { isPublic } from '../../domain/file-state.ts';
import type { MatchOutcome } from '../../domain/review-case.ts';
import type { Decision, MatchSaid } from '../review/contracts.ts';

/** What follows for a photo from what a moderator says of another one. */
export interface Following {
  readonly file: FileRow;
  readonly decision: Decision;
}

/**
 * What a decision on a photo means for the others that it names: one that is called the copy leaves. Whichever of a pair is decided
 * on, the one that is named as the copy is withdrawn by its own decision. A photo that is gone, or decided on, stays as it
 * is. Errors: CONTRADICTION where the decision and what it says of a pair exclude each other; FORBIDDEN for the owner of a photo.
 */
export async function copiesNamed(
  db: Db,
  who: Principal,
  file: FileRow,
  decision: Decision,
): Promise<Following[]> {
  const named: Following[] = [];
  for (const { fileId, outcome } of saidOf(decision)) {
    const pair = await findOpenPair(db, file.id, fileId);
    if (pair === null) continue;
    assertOwnsNeither(who, [pair.newerOwner, pair.olderOwner]);
    const copy = copyOf(pair, outcome);
    if (copy === file.id && decision.decision === 'approve') throw contradiction(APPROVED_COPY);
    const leaving = copy === null || copy === file.id ? null : await withdrawal(db, copy);
    if (leaving !== null) named.push(leaving);
  }
  return named;
}

/** What a decision says of pairs, once each. */
export function saidOf({ match, matches = [] }: Decision): readonly MatchSaid[] {
  const said = new Map<string, MatchSaid>();
  for (const one of match === undefined ? matches : [match, ...matches]) {
    const before = said.get(one.fileId);
    if (before !== undefined && before.outcome !== one.outcome) throw contradiction(SAID_TWICE);
    said.set(one.fileId, one);
  }
  return [...said.values()];
}

/** The photo that an outcome calls the copy. */
export function copyOf(pair: Pick<Pair, 'newerId' | 'olderId'>, outcome: MatchOutcome): string | null {
  if (outcome === 'copied_by_newer') return pair.newerId;
  return outcome === 'copied_by_older' ? pair.olderId : null;
}

/** In the words of the list alone: what a moderator writes of two photos may name the other one or its seller. */
export async function withdrawal(db: Db, id: string): Promise<Following | null> {
  const file = await findFile(db, id);
  if (file === null) return null;
  const decision = isPublic(file.state) ? 'takedown' : file.state === 'in_review' ? 'reject' : null;
  return decision && { file, decision: { decision, reasonCode: 'stolen_photo' } };
}

const APPROVED_COPY =
  'You approve the photo and call it the copy of another one: reject it, or say what else the two are.';
const SAID_TWICE = 'You say two different things of the same two photos.';

function contradiction(message: string): StorageError {
  return new StorageError('CONTRADICTION', message);
}
