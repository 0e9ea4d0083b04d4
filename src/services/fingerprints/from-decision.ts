import { decideMatch, findOpenPair } from '../../db/photo-matches.ts';
import type { Db } from '../../db/schema.ts';
import { REVIEW_REASONS } from '../../domain/review-reasons.ts';
import type { Decision } from '../review/contracts.ts';
import { banPicture } from './ban.ts';

/**
 * What follows from a decision on a photo for pictures that come later, in its transaction: what it says of the photo and
 * another one is remembered, and a picture that is taken down for what it shows may not come back.
 */
export async function rememberDecision(
  trx: Db,
  { fileId, by, decision }: { readonly fileId: string; readonly by: string; readonly decision: Decision },
): Promise<void> {
  const { match, reasonCode } = decision;
  const pair = match === undefined ? null : await findOpenPair(trx, fileId, match.fileId);
  if (match !== undefined && pair !== null) await decideMatch(trx, pair.id, { outcome: match.outcome, by });
  if (decision.decision === 'takedown' && reasonCode !== undefined && REVIEW_REASONS[reasonCode].isBanned)
    await banPicture(trx, { fileId, reasonCode, by });
}
