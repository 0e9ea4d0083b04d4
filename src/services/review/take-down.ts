import { lockFileAndItem, nextGeneration, updateFile } from '../../db/files.ts';
import { settleObjects } from '../../db/objects.ts';
import { moveReports } from '../../db/photo-reports.ts';
import { openCase, openCaseOf } from '../../db/review-cases.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { restoreOriginal } from '../../db/variants.ts';
import { isStorageError } from '../../domain/errors.ts';
import { isPublic, PUBLIC_STATES } from '../../domain/file-state.ts';
import { objectKey } from '../../domain/keys.ts';
import type { ReasonCode } from '../../domain/review-reasons.ts';
import { announceFor } from '../announce.ts';
import type { ServiceDeps } from '../deps.ts';
import { end, undo } from '../removal.ts';
import { readProven } from '../storage/proven.ts';
import { type ViewToKeep, viewToKeep } from '../view-to-keep.ts';

type Deps = Pick<ServiceDeps, 'db' | 'storage' | 'deliverNow'>;

/** Why a public photo is withdrawn, and who is to look at it again. */
export interface TakeDown {
  /** What the seller reads. */
  readonly message: string;
  readonly reasonCode: ReasonCode | null;
  readonly secondLook: { readonly priority: number; readonly notBy?: string };
  /** Written in the transaction of the take-down, once the file is locked and before it changes. */
  readonly alongside: (trx: Db) => Promise<void>;
}

/**
 * Nothing of the photo stays public; its sanitised view stays in quarantine for the second look, which is opened with it,
 * and for an appeal. Null when the photo has moved on.
 */
export async function takeDown(deps: Deps, file: FileRow, request: TakeDown): Promise<FileRow | null> {
  if (!isPublic(file.state)) return null;
  const wanted = await viewToKeep(deps.db, file);
  const down = await withView(deps, file, wanted, (view) =>
    deps.db.transaction().execute((trx) => commit(trx, file, view, request)),
  );
  if (down !== null) await deps.deliverNow(file.id);
  return down;
}

async function commit(
  trx: Db,
  file: FileRow,
  view: ViewToKeep | null,
  request: TakeDown,
): Promise<FileRow | null> {
  const locked = await lockFileAndItem(trx, file.id);
  if (locked === null || !isPublic(locked.state) || locked.generation !== file.generation) return null;
  // Archived or brought back meanwhile: another view is to be kept.
  if (locked.archive !== file.archive) return null;
  await request.alongside(trx);
  const before = await openCaseOf(trx, file.id);
  const keep = view === null ? [] : [view.key];
  const reason = { code: 'CONTENT_REJECTED', message: request.message } as const;
  await end(trx, locked, 'taken_down', reason, { keep });
  if (view !== null) await restoreOriginal(trx, { ...view.original, key: view.key });
  await settleObjects(trx, keep);
  const generation = await nextGeneration(trx, file.id);
  const down = await updateFile(
    trx,
    { id: file.id, from: 'taken_down', generation },
    { content_reason: request.reasonCode, ...(view !== null && { hash12: view.hash12 }) },
  );
  // Where no view is left there is nothing to look at.
  if (view === null) return down;
  const secondLook = await openCase(trx, file.id, { source: 'second_look', ...request.secondLook });
  if (before !== null) await moveReports(trx, before.id, secondLook);
  return down;
}

/**
 * Copies what stands for the public original into quarantine before `commit`, and removes the copy when nothing came of
 * it. An original whose bytes are lost, or are not those that were checked, keeps no photo public: it goes down without a
 * view. Under legal hold that original is moved as evidence, which looks for the right bytes.
 */
async function withView(
  deps: Deps,
  file: FileRow,
  view: ViewToKeep | null,
  commitWith: (view: ViewToKeep | null) => Promise<FileRow | null>,
): Promise<FileRow | null> {
  if (view === null) return commitWith(null);
  const premise = { id: file.id, from: PUBLIC_STATES, generation: file.generation };
  if (!(await announceFor(deps.db, premise, [view.key]))) return null;
  try {
    const isCopied = await copyUnlessLost(deps, view);
    const done = await commitWith(isCopied ? view : null);
    if (done === null || !isCopied) await undo(deps.db, file.id, [view.key]);
    return done;
  } catch (error) {
    await undo(deps.db, file.id, [view.key]);
    throw error;
  }
}

async function copyUnlessLost(deps: Deps, view: ViewToKeep): Promise<boolean> {
  try {
    const { etag } = await readProven(deps.storage, { key: view.source, sha256: view.original.sha256 });
    await deps.storage.copyFile(objectKey(view.source), view.key, { ifMatch: etag });
    return true;
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND') || isStorageError(error, 'OBJECT_DAMAGED')) return false;
    throw error;
  }
}
