import { recordAccess } from '../db/access-log.ts';
import { findFile, lockFileAndItem, nextGeneration, updateFile } from '../db/files.ts';
import { settleObjects } from '../db/objects.ts';
import { insertDecision } from '../db/review.ts';
import type { Db, FileRow } from '../db/schema.ts';
import { listVariants, restoreOriginal } from '../db/variants.ts';
import type { Principal } from '../domain/access.ts';
import { isStorageError, StorageError } from '../domain/errors.ts';
import { isPublic, PUBLIC_STATES } from '../domain/file-state.ts';
import { objectKey, quarantineRawKey } from '../domain/keys.ts';
import { fileId } from '../domain/ids.ts';
import { announceFor } from './announce.ts';
import type { ReviewService } from './contracts.ts';
import type { ServiceDeps } from './deps.ts';
import type { Photo } from './photo.ts';
import { fileFor, viewOf } from './photos/one-photo.ts';
import { publishReviewed } from './publication.ts';
import { end, undo } from './removal.ts';
import { listReview } from './review/queue.ts';
import { type ViewToKeep, viewToKeep } from './view-to-keep.ts';

type Deps = Pick<ServiceDeps, 'db' | 'cdn' | 'storage' | 'clock' | 'limits' | 'deliverNow'>;

/** The queue of photos that wait for a person, and what people decide. */
export function createReviewService(deps: Deps): ReviewService {
  return {
    listReview: (who, page) => listReview(deps, who, page),

    async decide(who, id, decision) {
      const file = await fileFor(deps.db, who, 'decide', id);
      try {
        return await DECIDE[decision.decision](deps, who, file, decision.reason);
      } catch (error) {
        // What the decision was to be made on is gone: somebody else was faster.
        if (isStorageError(error, 'NOT_FOUND') && (await hasMovedOn(deps, file))) throw alreadyDecided();
        throw error;
      }
    },
  };
}

type Decide = (deps: Deps, who: Principal, file: FileRow, reason: string) => Promise<Photo>;

const DECIDE: Readonly<Record<'approve' | 'reject' | 'takedown', Decide>> = {
  approve,
  reject,
  takedown: takeDown,
};

async function hasMovedOn(deps: Deps, file: FileRow): Promise<boolean> {
  const now = await findFile(deps.db, file.id);
  return now?.state !== file.state || now.generation !== file.generation;
}

async function approve(deps: Deps, who: Principal, file: FileRow, reason: string): Promise<Photo> {
  if (file.state !== 'in_review') throw alreadyDecided();
  const published = await publishReviewed(deps, file, (db) => note(db, who, file, 'approve', reason));
  if (published === null) throw alreadyDecided();
  return viewOf(deps, who, published);
}

async function reject(deps: Deps, who: Principal, file: FileRow, reason: string): Promise<Photo> {
  const rejected = await deps.db.transaction().execute(async (trx) => {
    const locked = await lockFileAndItem(trx, file.id);
    if (locked?.state !== 'in_review') return null;
    await note(trx, who, file, 'reject', reason);
    return end(
      trx,
      locked,
      'rejected',
      { code: 'CONTENT_REJECTED', message: reason },
      { keep: await quarantined(trx, locked) },
    );
  });
  if (rejected === null) throw alreadyDecided();
  return viewOf(deps, who, rejected);
}

/** Nothing of the photo stays public; its sanitised view stays in quarantine, so that an appeal can be judged. */
async function takeDown(deps: Deps, who: Principal, file: FileRow, reason: string): Promise<Photo> {
  if (!isPublic(file.state)) throw alreadyDecided();
  const wanted = await viewToKeep(deps.db, file);
  const down = await withView(deps, file, wanted, (view) =>
    deps.db.transaction().execute(async (trx) => {
      const locked = await lockFileAndItem(trx, file.id);
      if (locked === null || !isPublic(locked.state) || locked.generation !== file.generation) return null;
      // Archived or brought back meanwhile: another view is to be kept.
      if (locked.archive !== file.archive) return null;
      await note(trx, who, file, 'takedown', reason);
      const keep = view === null ? [] : [view.key];
      const left = await end(
        trx,
        locked,
        'taken_down',
        { code: 'CONTENT_REJECTED', message: reason },
        { keep },
      );
      if (view !== null) await restoreOriginal(trx, { ...view.original, key: view.key });
      await settleObjects(trx, keep);
      if (view !== null) await updateFile(trx, { id: file.id, from: 'taken_down' }, { hash12: view.hash12 });
      await nextGeneration(trx, file.id);
      return left;
    }),
  );
  if (down === null) throw alreadyDecided();
  await deps.deliverNow(file.id);
  return viewOf(deps, who, down);
}

/**
 * Copies what stands for the public original into quarantine before `commit`, and removes the copy when nothing came of
 * it. An original whose bytes are lost keeps no photo public: it goes down without a view.
 */
async function withView(
  deps: Deps,
  file: FileRow,
  view: ViewToKeep | null,
  commit: (view: ViewToKeep | null) => Promise<FileRow | null>,
): Promise<FileRow | null> {
  if (view === null) return commit(null);
  const premise = { id: file.id, from: PUBLIC_STATES, generation: file.generation };
  if (!(await announceFor(deps.db, premise, [view.key]))) return null;
  try {
    const isCopied = await copyUnlessLost(deps, view);
    const done = await commit(isCopied ? view : null);
    if (done === null || !isCopied) await undo(deps.db, file.id, [view.key]);
    return done;
  } catch (error) {
    await undo(deps.db, file.id, [view.key]);
    throw error;
  }
}

async function copyUnlessLost(deps: Deps, view: ViewToKeep): Promise<boolean> {
  try {
    await deps.storage.copyFile(objectKey(view.source), view.key);
    return true;
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND') || isStorageError(error, 'OBJECT_DAMAGED')) return false;
    throw error;
  }
}

async function quarantined(db: Db, file: FileRow): Promise<string[]> {
  const variants = await listVariants(db, [file.id]);
  return [quarantineRawKey(fileId(file.id)), ...variants.map((variant) => variant.key)];
}

async function note(
  db: Db,
  who: Principal,
  file: FileRow,
  decision: 'approve' | 'reject' | 'takedown',
  reason: string,
): Promise<void> {
  await insertDecision(db, { fileId: file.id, moderatorId: who.userId, decision, reason });
  await recordAccess(db, {
    userId: who.userId,
    action: `photo.${decision}`,
    fileId: file.id,
    details: { reason },
  });
}

function alreadyDecided(): StorageError {
  return new StorageError('ALREADY_DECIDED', 'Somebody has decided already, or the photo has changed.');
}
