import { confirmBanned } from '../../db/banned-pictures.ts';
import { decideMatch, findOpenPair } from '../../db/photo-matches.ts';
import { hasDecision } from '../../db/review.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { isPublic } from '../../domain/file-state.ts';
import { REVIEW_REASONS } from '../../domain/review-reasons.ts';
import type { Decision } from '../review/contracts.ts';
import { banPicture, liftBan } from './ban.ts';
import { saidOf } from './named-copies.ts';

/**
 * What follows from a decision on a photo for pictures that come later, in its transaction: what it says of the photo and
 * others is remembered, and a picture that is taken down for what it shows may not come back, as long as that is the
 * reason. `file` is as it was before.
 */
export async function rememberDecision(
  trx: Db,
  { file, by, decision }: { readonly file: FileRow; readonly by: string; readonly decision: Decision },
): Promise<void> {
  for (const { fileId, outcome } of saidOf(decision)) {
    const pair = await findOpenPair(trx, file.id, fileId);
    if (pair !== null) await decideMatch(trx, pair.id, { outcome, by });
  }
  // An approval publishes the photo, and the database lifts its ban with that.
  if (decision.decision !== 'approve') await judgeBan(trx, { file, by, decision });
}

/** A reason of the list bans or lifts; words alone leave the ban to the reason that was given before. */
async function judgeBan(
  trx: Db,
  {
    file,
    by,
    decision: { decision, reasonCode },
  }: { readonly file: FileRow; readonly by: string; readonly decision: Decision },
): Promise<void> {
  const picture = { fileId: file.id, by };
  if (reasonCode !== undefined && !REVIEW_REASONS[reasonCode].isBanned) return liftBan(trx, picture);
  if (reasonCode !== undefined && (await isTakenDown(trx, file, decision)))
    await banPicture(trx, { ...picture, reasonCode });
  // The second look at a take-down, or an appeal against it.
  if (!isPublic(file.state)) await confirmBanned(trx, picture);
}

/** By the first decision on it. A photo that was hidden is refused in review: it was public, so that is a take-down, too. */
async function isTakenDown(trx: Db, file: FileRow, decision: Decision['decision']): Promise<boolean> {
  if (decision === 'takedown') return true;
  return file.published_at !== null && !(await hasDecision(trx, file.id, 'takedown'));
}
