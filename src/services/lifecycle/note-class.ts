import { lockFile } from '../../db/files.ts';
import { setArchive } from '../../db/lifecycle.ts';
import { findStorageClass, setStorageClass } from '../../db/objects.ts';
import type { NamedObject } from '../../db/stored.ts';
import { isArchiveClass } from '../../domain/storage-class.ts';
import { archivedKey } from './restore.ts';
import { type LifecycleDeps, type LifecycleWork, type Outcome, record } from './work.ts';

/**
 * The store has an object in another class than its row says: a rule of the bucket moved it, or a person did. The row
 * learns it; an original that somebody archived is `archived` from then on, so that it can be asked for.
 */
export async function noteClass(
  deps: LifecycleDeps,
  work: LifecycleWork,
  row: NamedObject,
): Promise<Outcome> {
  return deps.db.transaction().execute(async (trx): Promise<Outcome> => {
    const file = await lockFile(trx, row.fileId);
    const known = await findStorageClass(trx, row.key);
    if (file === null || known === null) return { left: 'changed meanwhile' };
    // The list was older than the lock: one that was brought back meanwhile is not archived again.
    const { storageClass, bytes } = await deps.storage.primaryInfo(row.key, work.signal);
    if (storageClass === known) return null;
    const details = { rule: 'reconcile', fileId: file.id, from: known, to: storageClass };
    const done: Outcome = { action: { action: 'note-class', subject: row.key, details }, bytes };
    if (work.dryRun) return done;
    await setStorageClass(trx, row.key, storageClass);
    // Where nothing can be brought back, the classes are names: their objects stay readable.
    const isArchived =
      deps.capabilities.supportsArchive &&
      isArchiveClass(storageClass) &&
      file.state === 'ready' &&
      file.kind !== 'profile_photo';
    if (isArchived && (await archivedKey(trx, file)) === row.key)
      await setArchive(trx, file.id, 'none', 'archived');
    await record(trx, work, done.action);
    return done;
  });
}
