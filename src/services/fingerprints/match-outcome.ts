import { findFile } from '../../db/files.ts';
import { hasOtherOpenMatch, type Pair } from '../../db/photo-matches.ts';
import { listAppeals } from '../../db/review.ts';
import { listFindings, openCaseOf } from '../../db/review-cases.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { isPublic } from '../../domain/file-state.ts';
import type { MatchOutcome } from '../../domain/review-case.ts';
import { copyOf, type Following, withdrawal } from './named-copies.ts';

/**
 * What follows for both photos from a moderator's word on them alone: the copy is withdrawn, and the newer one, when it is not the
 * copy, goes on unless it waits for something else. A photo that is gone, or decided on, stays as it is. `reason` is kept with
 * an approval, which sellers do not read.
 */
export async function followingFrom(
  db: Db,
  pair: Pair,
  { outcome, reason }: { readonly outcome: MatchOutcome; readonly reason: string },
): Promise<Following[]> {
  const copy = copyOf(pair, outcome);
  const withdrawn = copy === null ? null : await withdrawal(db, copy);
  const freed = copy === pair.newerId ? null : await goingOn(db, pair, reason);
  return [withdrawn, freed].filter((one) => one !== null);
}

/** The approval of a photo that waits for this word only: in review, or public with an open case. */
async function goingOn(db: Db, pair: Pair, reason: string): Promise<Following | null> {
  const file = await findFile(db, pair.newerId);
  if (file === null || !(await isWaiting(db, file))) return null;
  if ((await hasOtherOpenMatch(db, pair)) || (await waitsForMore(db, file))) return null;
  return { file, decision: { decision: 'approve', reason } };
}

async function isWaiting(db: Db, file: FileRow): Promise<boolean> {
  if (file.state === 'in_review') return true;
  return isPublic(file.state) && (await openCaseOf(db, file.id)) !== null;
}

/** Whether machines doubt it for another reason, or its seller has appealed. */
async function waitsForMore(db: Db, file: FileRow): Promise<boolean> {
  if (file.moderation?.verdict !== 'publish') return true;
  const findings = (await listFindings(db, [file.id])).get(file.id) ?? [];
  const others = findings.filter(
    ({ source, label }) => source !== 'moderation' && label !== 'same_photo_elsewhere',
  );
  if (others.length > 0) return true;
  return (await listAppeals(db, [file.id])).has(file.id);
}
