import { lockFileAndItem } from '../../db/files.ts';
import { type Candidate, type CandidatePage, retentionFacts, setArchive } from '../../db/lifecycle.ts';
import { setStorageClass } from '../../db/objects.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { costOfMove, type Move } from '../../domain/cost.ts';
import { isStorageError } from '../../domain/errors.ts';
import {
  cutoff,
  RETENTION,
  type RetentionAction,
  type RetentionRuleId,
  retentionDue,
} from '../../domain/retention.ts';
import type { RunAction } from '../../domain/runs.ts';
import { isArchiveClass, type StorageClass } from '../../domain/storage-class.ts';
import { eachOf, type LifecycleDeps, type LifecycleWork, type Outcome, type Part, record } from './work.ts';

const PAGE = 200;
/** Each holds a connection while the store copies. */
const LANES = 3;
const DAY_MS = 86_400_000;

/** A rule that moves objects to another class, as a part of a run. `orderedBy`: what a page goes on from. */
export function movePart(
  ruleId: RetentionRuleId,
  list: (db: Db, page: CandidatePage) => Promise<Candidate[]>,
  orderedBy: (candidate: Candidate) => string = (candidate) => candidate.fileId,
): Part {
  const rule = RETENTION[ruleId];
  return {
    name: ruleId,
    async page(deps, work, after) {
      const { action } = rule;
      if (action.kind !== 'move') return { next: null, outcomes: [] };
      const before = cutoff(rule, deps.clock.now());
      const candidates = await list(deps.db, { before, after, limit: PAGE });
      const outcomes = await eachOf(deps, candidates, LANES, (candidate) =>
        moveOne(deps, work, ruleId, action, candidate),
      );
      const last = candidates.at(-1);
      return { next: candidates.length < PAGE || last === undefined ? null : orderedBy(last), outcomes };
    },
  };
}

async function moveOne(
  deps: LifecycleDeps,
  work: LifecycleWork,
  ruleId: RetentionRuleId,
  action: Extract<RetentionAction, { kind: 'move' }>,
  candidate: Candidate,
): Promise<Outcome> {
  const move = moveOf(deps, action, candidate);
  const { saved } = costOfMove(move);
  if (saved <= 0) return { left: 'moving it would not pay' };
  const done: Outcome = {
    action: actionOf(ruleId, candidate, action.to, saved),
    bytes: candidate.bytes,
    savedUsd: saved,
  };
  if (work.dryRun) return done;
  return deps.db.transaction().execute(async (trx): Promise<Outcome> => {
    const file = await lockFileAndItem(trx, candidate.fileId);
    if (file === null || !(await isStillDue(deps, trx, file, candidate.key, ruleId)))
      return { left: 'changed meanwhile' };
    // A run that died after the copy and before its commit has moved it already.
    if (!(await isIn(deps, candidate.key, action.to, work.signal))) return { left: 'object missing' };
    await setStorageClass(trx, candidate.key, action.to);
    if (isArchiveClass(action.to)) await setArchive(trx, file.id, 'none', 'archived');
    await record(trx, work, done.action);
    return done;
  });
}

function moveOf(
  deps: LifecycleDeps,
  action: Extract<RetentionAction, { kind: 'move' }>,
  { bytes, storageClass, classSince }: Candidate,
): Move {
  const daysInClass = Math.floor((deps.clock.now().getTime() - classSince.getTime()) / DAY_MS);
  // As in a bucket with versions, which ours are: without them it is a little less.
  const oldVersionDays = RETENTION['old-versions'].days;
  return { bytes, from: storageClass, to: action.to, daysInClass, daysLeft: action.daysLeft, oldVersionDays };
}

function actionOf(
  rule: RetentionRuleId,
  candidate: Candidate,
  to: StorageClass,
  savedUsd: number,
): RunAction {
  const { fileId, key, bytes, storageClass } = candidate;
  return {
    action: isArchiveClass(to) ? 'archive' : 'move',
    subject: key,
    details: { rule, fileId, bytes, from: storageClass, to, savedUsd: Number(savedUsd.toPrecision(4)) },
  };
}

/** The premise, with the row lock in hand: a hold, a view, a change or a delete since the page was read is seen. */
async function isStillDue(
  deps: LifecycleDeps,
  db: Db,
  file: FileRow,
  key: string,
  ruleId: RetentionRuleId,
): Promise<boolean> {
  const facts = file.archive === 'none' ? await retentionFacts(db, file, key) : null;
  if (facts === null) return false;
  const { bytes, writtenAt, classSince, held, lastActivityAt, lastUsedAt } = facts;
  const due = retentionDue(
    {
      key,
      bytes,
      writtenAt,
      classSince,
      held,
      file: { state: file.state, lastActivityAt, lastUsedAt, decidedAt: file.finished_at },
    },
    deps.clock.now(),
  );
  return due?.id === ruleId;
}

/** Sees to it that the object is in that class. False when there is no object. */
async function isIn(
  deps: LifecycleDeps,
  key: string,
  storageClass: StorageClass,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const info = await deps.storage.primaryInfo(key, signal);
    if (info.storageClass !== storageClass)
      await deps.storage.copyFile(key, key, { storageClass, ifMatch: info.etag, signal });
    return true;
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND')) return false;
    throw error;
  }
}
