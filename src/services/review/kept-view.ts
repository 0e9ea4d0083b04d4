import type { FileRow } from '../../db/schema.ts';
import { isStorageError } from '../../domain/errors.ts';
import { PUBLIC_STATES } from '../../domain/file-state.ts';
import { objectKey } from '../../domain/keys.ts';
import { announceFor } from '../announce.ts';
import type { ServiceDeps } from '../deps.ts';
import { undo } from '../removal.ts';
import { readProven } from '../storage/proven.ts';
import { type ViewToKeep, viewToKeep } from '../view-to-keep.ts';

type Deps = Pick<ServiceDeps, 'db' | 'storage' | 'deliverNow'>;

/**
 * Withdraws a public photo whose sanitised view stays in quarantine, for whoever looks at it next: copies what stands for
 * the public original there before `commit`, removes the copy when nothing came of it, and has what follows delivered.
 *
 * An original whose bytes are lost, or are not those that were checked, keeps no photo public: `commit` gets no view. Under
 * legal hold that original is moved as evidence, which looks for the right bytes.
 */
export async function withdrawKeepingView(
  deps: Deps,
  file: FileRow,
  commit: (view: ViewToKeep | null) => Promise<FileRow | null>,
): Promise<FileRow | null> {
  const withdrawn = await withView(deps, file, await viewToKeep(deps.db, file), commit);
  if (withdrawn !== null) await deps.deliverNow(file.id);
  return withdrawn;
}

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
    const { etag } = await readProven(deps.storage, { key: view.source, sha256: view.original.sha256 });
    await deps.storage.copyFile(objectKey(view.source), view.key, { ifMatch: etag });
    return true;
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND') || isStorageError(error, 'OBJECT_DAMAGED')) return false;
    throw error;
  }
}
