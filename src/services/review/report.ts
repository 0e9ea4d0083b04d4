import { recordAccess } from '../../db/access-log.ts';
import { findFile } from '../../db/files.ts';
import {
  countReports,
  findReport,
  insertReport,
  isApprovedSinceReported,
  lockReporter,
  reportsWithinAnHour,
} from '../../db/photo-reports.ts';
import { insertDecision } from '../../db/review.ts';
import { addFindings, openCase, openCaseOf } from '../../db/review-cases.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import type { Principal } from '../../domain/access.ts';
import { StorageError } from '../../domain/errors.ts';
import type { FileId } from '../../domain/ids.ts';
import { type ModerationPolicy, reportersToHide } from '../../domain/moderation-policy.ts';
import { REPORTS_AN_HOUR } from '../../domain/report-policy.ts';
import { CASE_PRIORITY, REPORTED } from '../../domain/review-case.ts';
import { isReasonCode, REVIEW_REASONS, type ReasonCode } from '../../domain/review-reasons.ts';
import { fileFor, lockedFileFor } from '../photos/one-photo.ts';
import type { ReviewService } from './contracts.ts';
import type { DecideDeps } from './note.ts';
import { takeDown } from './take-down.ts';

type Report = Parameters<ReviewService['report']>[2];
export type ReportDeps = DecideDeps & { readonly policy: ModerationPolicy };

/** What so many buyers have named that the photo is hidden. */
interface Danger {
  readonly reasonCode: ReasonCode;
  readonly count: number;
}

/**
 * Puts a public photo that a buyer reports into the review queue, where reports of the same photo are counted together. It
 * stays public, unless so many name the same danger that it is hidden until a moderator has looked. Reports hide nothing
 * that a moderator has approved since the first of them: more of them are for the queue.
 */
export async function report(deps: ReportDeps, who: Principal, id: FileId, request: Report): Promise<void> {
  if (REVIEW_REASONS[request.reasonCode].needsText && request.message === undefined)
    throw new StorageError('INVALID_REQUEST', 'Say in a few words what is wrong: `message`.');
  await fileFor(deps.db, who, 'report', id);
  const danger = await deps.db.transaction().execute((trx) => keep(trx, deps.policy, who, id, request));
  if (danger !== null) await hide(deps, id, danger);
}

/** Keeps a report; returns the danger that enough buyers name by now, or null. */
async function keep(
  trx: Db,
  policy: ModerationPolicy,
  who: Principal,
  id: FileId,
  request: Report,
): Promise<Danger | null> {
  await lockReporter(trx, who.userId);
  const file = await lockedFileFor(trx, who, 'report', id);
  const reported = await findReport(trx, file.id, who.userId);
  const caseId =
    reported === null ? await keepNew(trx, who, file, request) : await stillOpen(trx, file, reported.caseId);
  if (caseId === null || (await isApprovedSinceReported(trx, file.id))) return null;
  const counts = (await countReports(trx, [caseId])).get(caseId) ?? [];
  for (const { reasonCode, count } of counts) {
    const enough = isReasonCode(reasonCode) ? reportersToHide(policy, reasonCode) : 'never';
    if (isReasonCode(reasonCode) && enough !== 'never' && count >= enough) return { reasonCode, count };
  }
  return null;
}

/** The case of an earlier report; null when it is decided: a report counts in the case that it was made in, and no other. */
async function stillOpen(trx: Db, file: FileRow, caseId: number | null): Promise<number | null> {
  const open = await openCaseOf(trx, file.id);
  return open?.id === caseId ? caseId : null;
}

async function keepNew(trx: Db, who: Principal, file: FileRow, request: Report): Promise<number> {
  await assertNotTooMany(trx, who);
  const { reasonCode, message = null } = request;
  const { isDangerous } = REVIEW_REASONS[reasonCode];
  const caseId = await openCase(trx, file.id, {
    source: 'report',
    priority: isDangerous ? CASE_PRIORITY.danger : CASE_PRIORITY.report,
  });
  await insertReport(trx, { fileId: file.id, userId: who.userId, reasonCode, message, caseId });
  const unknown = { confidence: null, region: null, model: null, version: null };
  const details = message === null ? {} : { message };
  await addFindings(trx, file.id, [{ source: 'report', label: reasonCode, ...unknown, details }]);
  await recordAccess(trx, {
    userId: who.userId,
    action: 'photo.report',
    fileId: file.id,
    details: { reasonCode },
  });
  return caseId;
}

async function assertNotTooMany(trx: Db, who: Principal): Promise<void> {
  const { count, oldest } = await reportsWithinAnHour(trx, who.userId);
  if (count < REPORTS_AN_HOUR) return;
  const retryAfter = Math.max(1, 3600 - Math.floor((Date.now() - (oldest?.getTime() ?? 0)) / 1000));
  throw new StorageError('RATE_LIMITED', 'You have reported many photos; go on in an hour.', { retryAfter });
}

/** As a take-down that nobody has decided yet: a moderator looks at it before everything else. */
async function hide(deps: DecideDeps, id: FileId, danger: Danger): Promise<void> {
  const file = await findFile(deps.db, id);
  if (file === null) return;
  await takeDown(deps, file, {
    message: 'Several people have reported this photo. It is hidden until a moderator has looked at it.',
    reasonCode: danger.reasonCode,
    secondLook: { priority: CASE_PRIORITY.danger },
    alongside: (trx) => noteHidden(trx, file, danger),
  });
}

async function noteHidden(trx: Db, file: FileRow, { reasonCode, count }: Danger): Promise<void> {
  const reason = `${count} people have reported it.`;
  await insertDecision(trx, {
    fileId: file.id,
    moderatorId: REPORTED,
    decision: 'takedown',
    reason,
    reasonCode,
  });
  await recordAccess(trx, {
    userId: REPORTED,
    action: 'photo.takedown',
    fileId: file.id,
    details: { reason, reasonCode },
  });
}
