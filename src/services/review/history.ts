import { recordAccess } from '../../db/access-log.ts';
import { listProbes } from '../../db/cdn-probes.ts';
import { findFile } from '../../db/files.ts';
import { listFindings } from '../../db/review-cases.ts';
import {
  countDecisions,
  countObjections,
  countPhotosByState,
  lastDecisions,
  readHistory,
} from '../../db/review-history.ts';
import { assertMayAdminister, mayAdminister, type Principal } from '../../domain/access.ts';
import { StorageError } from '../../domain/errors.ts';
import type { FileId, UserId } from '../../domain/ids.ts';
import type { ServiceDeps } from '../deps.ts';
import { viewOf } from '../photos/one-photo.ts';
import type { PastDecision, PhotoHistory, SellerModeration } from './contracts.ts';
import { findingsOf } from './entries.ts';

/** Decisions that a moderator reads through. */
const LAST = 20;

type Deps = Pick<ServiceDeps, 'db' | 'cdn'>;

/** Everything that led to where a photo is: what was seen, who decided what and why, whether its URLs are gone. */
export async function photoHistory({ db, cdn }: Deps, who: Principal, id: FileId): Promise<PhotoHistory> {
  assertMayAdminister(who, 'read_review');
  const file = await findFile(db, id);
  if (file === null || file.kind === 'verification_document')
    throw new StorageError('NOT_FOUND', 'There is no such photo.');
  await recordAccess(db, { userId: who.userId, action: 'photo.history', fileId: id });
  const parts = await readHistory(db, id);
  const kept = (await listFindings(db, [id])).get(id) ?? [];
  const proofs = await listProbes(db, id);
  return {
    photo: await viewOf({ db, cdn }, who, file),
    events: parts.events
      .filter((event, index, all) => event.state !== all[index - 1]?.state)
      .map(({ at, state, reason_code }) => ({ at: iso(at), state, reasonCode: reason_code })),
    findings: findingsOf(file, kept),
    cases: parts.cases.map(({ source, opened_at, closed_at, outcome }) => ({
      source,
      openedAt: iso(opened_at),
      closedAt: closed_at && iso(closed_at),
      outcome,
    })),
    decisions: parts.decisions.map(pastDecision),
    appeals: parts.appeals.map(({ created_at, message, outcome, decided_at }) => ({
      at: iso(created_at),
      message,
      outcome,
      decidedAt: decided_at && iso(decided_at),
    })),
    reports: parts.reports.map(({ created_at, user_id, reason_code, message }) => ({
      at: iso(created_at),
      userId: user_id,
      reasonCode: reason_code,
      message,
    })),
    proofs: proofs
      .map(({ state, answers, probed_at }) => ({
        state,
        urls: answers.length,
        probedAt: probed_at && iso(probed_at),
      }))
      .toReversed(),
    holds: mayAdminister(who, 'hold') ? parts.holds.map(pastHold) : [],
  };
}

/** What moderators know of a seller: how many photos, how they were judged, and the last decisions. */
export async function sellerModeration(
  { db }: Deps,
  who: Principal,
  userId: UserId,
): Promise<SellerModeration> {
  assertMayAdminister(who, 'read_review');
  await recordAccess(db, {
    userId: who.userId,
    action: 'user.moderation',
    fileId: null,
    details: { userId },
  });
  const { made, upheld, reports } = await countObjections(db, userId);
  return {
    userId,
    photos: await countPhotosByState(db, userId),
    decisions: await countDecisions(db, userId),
    appeals: { made, upheld },
    reports,
    last: (await lastDecisions(db, userId, LAST)).map(pastDecision),
  };
}

function pastDecision(row: Awaited<ReturnType<typeof lastDecisions>>[number]): PastDecision {
  return {
    at: iso(row.decided_at),
    fileId: row.file_id,
    moderatorId: row.moderator_id,
    decision: row.decision,
    reason: row.reason,
    reasonCode: row.reason_code,
  };
}

function pastHold(
  row: Awaited<ReturnType<typeof readHistory>>['holds'][number],
): PhotoHistory['holds'][number] {
  const { reason, placed_by, placed_at, lifted_at } = row;
  return { reason, placedBy: placed_by, placedAt: iso(placed_at), liftedAt: lifted_at && iso(lifted_at) };
}

function iso(at: Date): string {
  return at.toISOString();
}
