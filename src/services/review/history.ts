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
import { cursorOf, parseCursor } from '../cursor.ts';
import type { ServiceDeps } from '../deps.ts';
import { viewOf } from '../photos/one-photo.ts';
import type { HistoryRequest, PastDecision, PhotoHistory, SellerModeration } from './contracts.ts';
import { findingsOf } from './entries.ts';

type Deps = Pick<ServiceDeps, 'db' | 'cdn'>;

/** More of one kind does not happen to a photo within a millisecond. */
const AT_ONE_TIME = 20;

/**
 * Everything that led to where a photo is: what was seen, who decided what and why, whether its URLs are gone. A page is what
 * happened last, or before the page that `after` continues.
 */
export async function photoHistory(
  { db, cdn }: Deps,
  who: Principal,
  id: FileId,
  page: HistoryRequest,
): Promise<PhotoHistory> {
  assertMayAdminister(who, 'read_review');
  const file = await findFile(db, id);
  if (file === null || file.kind === 'verification_document')
    throw new StorageError('NOT_FOUND', 'There is no such photo.');
  await recordAccess(db, { userId: who.userId, action: 'photo.history', fileId: id });
  const isFirst = page.after === undefined;
  const before = page.after === undefined ? null : parseCursor(page.after, (text) => text === id).at;
  const read = await readHistory(db, id, { before, limit: page.limit + AT_ONE_TIME });
  const { parts, oldest } = cut(read, page.limit);
  const kept = isFirst ? ((await listFindings(db, [id])).get(id) ?? []) : [];
  const proofs = isFirst ? await listProbes(db, id) : [];
  return {
    photo: await viewOf({ db, cdn }, who, file),
    events: parts.events.map(({ at, state, reason_code }) => ({
      at: iso(at),
      state,
      reasonCode: reason_code,
    })),
    findings: isFirst ? findingsOf(file, kept) : [],
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
    proofs: proofs.map(({ state, answers, probed_at }) => ({
      state,
      urls: answers.length,
      probedAt: probed_at && iso(probed_at),
    })),
    holds: mayAdminister(who, 'hold') ? parts.holds.map(pastHold) : [],
    next: oldest && cursorOf(oldest, id),
  };
}

type Parts = Awaited<ReturnType<typeof readHistory>>;

/**
 * Of all parts together the latest, about `limit` of them: what happened within one millisecond stays together, and a state
 * that is only told again is left out. `oldest` is where the next page goes on; null when there is none.
 */
function cut(parts: Parts, limit: number): { parts: Parts; oldest: Date | null } {
  const times = Object.values(parts)
    .flatMap((part) => part.map(({ at }) => at.getTime()))
    .toSorted((a, b) => b - a);
  const oldest = times[limit - 1] ?? 0;
  const late = <Row extends { at: Date }>(rows: Row[]) => rows.filter(({ at }) => at.getTime() >= oldest);
  return {
    parts: {
      events: late(parts.events.filter(({ state }, index, all) => state !== all[index + 1]?.state)),
      cases: late(parts.cases),
      decisions: late(parts.decisions),
      appeals: late(parts.appeals),
      reports: late(parts.reports),
      holds: late(parts.holds),
    },
    oldest: times.some((time) => time < oldest) ? new Date(oldest) : null,
  };
}

/** What moderators know of a seller: how many photos, how they were judged, and a page of the decisions, the last first. */
export async function sellerModeration(
  { db }: Deps,
  who: Principal,
  userId: UserId,
  page: HistoryRequest,
): Promise<SellerModeration> {
  assertMayAdminister(who, 'read_review');
  await recordAccess(db, {
    userId: who.userId,
    action: 'user.moderation',
    fileId: null,
    details: { userId },
  });
  const beforeId = page.after === undefined ? null : Number(parseCursor(page.after, isRowId).id);
  const rows = await lastDecisions(db, userId, { beforeId, limit: page.limit + 1 });
  const shown = rows.slice(0, page.limit);
  const last = shown.at(-1);
  const { made, upheld, reports } = await countObjections(db, userId);
  return {
    userId,
    photos: await countPhotosByState(db, userId),
    decisions: await countDecisions(db, userId),
    appeals: { made, upheld },
    reports,
    last: shown.map(pastDecision),
    next: rows.length > page.limit && last !== undefined ? cursorOf(last.decided_at, String(last.id)) : null,
  };
}

const isRowId = (text: string) => /^\d{1,15}$/.test(text);

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
