import { findFile } from '../../db/files.ts';
import { findOpenPair, hasOpenMatch, type PhotoMatchRow } from '../../db/photo-matches.ts';
import { listAppeals } from '../../db/review.ts';
import { listFindings } from '../../db/review-cases.ts';
import type { FileRow } from '../../db/schema.ts';
import { assertOwnsNeither, type Principal } from '../../domain/access.ts';
import { isPublic } from '../../domain/file-state.ts';
import { fileId } from '../../domain/ids.ts';
import type { MatchOutcome } from '../../domain/review-case.ts';
import type { Decision, ReviewService } from '../review/contracts.ts';
import type { ServiceDeps } from '../deps.ts';

type Deps = Pick<ServiceDeps, 'db'> & { readonly review: Pick<ReviewService, 'decide'> };

/**
 * Does to both photos what follows from a moderator's word on them. A photo that is gone, or decided on, stays as it is.
 * `reason` is kept with an approval, which sellers do not read.
 */
export async function carryOut(
  deps: Deps,
  who: Principal,
  match: PhotoMatchRow,
  { outcome, reason }: { readonly outcome: MatchOutcome; readonly reason: string },
): Promise<void> {
  if (outcome === 'copied_by_newer') return withdraw(deps, who, match.newer_id);
  if (outcome === 'copied_by_older') await withdraw(deps, who, match.older_id);
  await release(deps, who, match.newer_id, reason);
}

/**
 * What a decision on the newer photo of a pair means for the older one: when that is the copy, it leaves. The other way round
 * too: whichever photo is decided on, the one that is named as the copy is withdrawn by its own decision.
 */
export async function withdrawCopy(
  deps: Deps,
  who: Principal,
  file: FileRow,
  { match }: Decision,
): Promise<void> {
  if (match === undefined) return;
  const pair = await findOpenPair(deps.db, file.id, match.fileId);
  if (pair === null) return;
  assertOwnsNeither(who, [pair.newer_owner, pair.older_owner]);
  if (match.outcome === 'copied_by_older' && pair.older_id !== file.id)
    await withdraw(deps, who, pair.older_id);
  if (match.outcome === 'copied_by_newer' && pair.newer_id !== file.id)
    await withdraw(deps, who, pair.newer_id);
}

/** In the words of the list alone: what a moderator writes of two photos may name the other one or its seller. */
async function withdraw({ db, review }: Deps, who: Principal, id: string): Promise<void> {
  const file = await findFile(db, id);
  if (file === null) return;
  const decision = isPublic(file.state) ? 'takedown' : file.state === 'in_review' ? 'reject' : null;
  if (decision !== null) await review.decide(who, fileId(id), { decision, reasonCode: 'stolen_photo' });
}

/** Publishes a photo that waits for this word only. */
async function release({ db, review }: Deps, who: Principal, id: string, reason: string): Promise<void> {
  const file = await findFile(db, id);
  if (file?.state !== 'in_review' || (await waitsForMore(db, file))) return;
  await review.decide(who, fileId(id), { decision: 'approve', reason });
}

/** Whether machines doubt it for another reason, other pairs of it are open, or its seller has appealed. */
async function waitsForMore(db: ServiceDeps['db'], file: FileRow): Promise<boolean> {
  if (file.moderation?.verdict !== 'publish') return true;
  const findings = (await listFindings(db, [file.id])).get(file.id) ?? [];
  const others = findings.filter(
    ({ source, label }) => source !== 'moderation' && label !== 'same_photo_elsewhere',
  );
  if (others.length > 0 || (await hasOpenMatch(db, file.id))) return true;
  return (await listAppeals(db, [file.id])).has(file.id);
}
