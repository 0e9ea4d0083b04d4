import type { Db, FileRow } from '../../db/schema.ts';
import { isStorageError } from '../../domain/errors.ts';
import { PUBLIC_STATES } from '../../domain/file-state.ts';
import { objectKey } from '../../domain/keys.ts';
import { announceFor } from '../announce.ts';
import type { ServiceDeps } from '../deps.ts';
import { commitTogether, type Prepared, rowsOnly } from '../prepared.ts';
import { undo } from '../removal.ts';
import { readProven } from '../storage/proven.ts';
import { type ViewToKeep, viewToKeep } from '../view-to-keep.ts';

type Deps = Pick<ServiceDeps, 'db' | 'storage'>;
type Commit = (trx: Db, view: ViewToKeep | null) => Promise<FileRow | null>;

/** As `prepareKeepingView`, with its transaction, and has what follows delivered. Null when the photo has moved on. */
export async function withdrawKeepingView(
  deps: Deps & Pick<ServiceDeps, 'deliverNow'>,
  file: FileRow,
  commit: Commit,
): Promise<FileRow | null> {
  const prepared = await prepareKeepingView(deps, file, commit);
  const made = prepared && (await commitTogether(deps.db, [prepared]));
  if (!made) return null;
  await deps.deliverNow(file.id);
  return made[0]?.file ?? null;
}

/**
 * Withdraws a public photo whose sanitised view stays in quarantine, for whoever looks at it next: what stands for the public
 * original is copied there before `commit`. Null when the photo has moved on.
 *
 * An original whose bytes are lost, or are not those that were checked, keeps no photo public: `commit` gets no view. Under
 * legal hold that original is moved as evidence, which looks for the right bytes.
 */
export async function prepareKeepingView(
  deps: Deps,
  file: FileRow,
  commit: Commit,
): Promise<Prepared | null> {
  const view = await viewToKeep(deps.db, file);
  if (view === null) return rowsOnly(file, (trx) => commit(trx, null));
  const premise = { id: file.id, from: PUBLIC_STATES, generation: file.generation };
  if (!(await announceFor(deps.db, premise, [view.key]))) return null;
  const takeBack = () => undo(deps.db, file.id, [view.key]);
  try {
    if (await copyUnlessLost(deps, view))
      return { ...rowsOnly(file, (trx) => commit(trx, view)), undo: takeBack };
  } catch (error) {
    await takeBack();
    throw error;
  }
  await takeBack();
  return rowsOnly(file, (trx) => commit(trx, null));
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
