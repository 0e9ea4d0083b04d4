import { lockFile } from '../../db/files.ts';
import { allowIdle } from '../../db/idle.ts';
import { setArchive, wakeItem } from '../../db/lifecycle.ts';
import { listObjects, setStorageClass } from '../../db/objects.ts';
import { addToOutbox } from '../../db/outbox.ts';
import type { Database, Db, FileRow } from '../../db/schema.ts';
import { listVariants } from '../../db/variants.ts';
import type { ArchiveStatus } from '../../ports/object-store.ts';
import type { StorageService } from '../storage.service.ts';

/**
 * How long the store keeps a restored copy readable. We copy it back into STANDARD as soon as it is there; the rest is
 * for the worst case, workers that stand still over a long weekend.
 */
const READABLE_DAYS = 5;

interface RestoreDeps {
  readonly db: Database;
  readonly storage: Pick<StorageService, 'archiveStatus' | 'restoreFile' | 'copyFile' | 'primaryInfo'>;
}

/** How far bringing back an original is. `over`: nothing is left to be done. */
export type RestoreProgress = 'over' | 'under way';

/** Asks, in the caller's transaction, for every archived original of a listing: it is active again. Resolves to their files. */
export async function bringBackListing(db: Db, itemId: string): Promise<string[]> {
  const woken = await wakeItem(db, itemId);
  for (const fileId of woken) await addToOutbox(db, 'restore', { fileId });
  return woken;
}

/** Asks, in the caller's transaction, for one original. False when it is not archived. */
export async function bringBack(db: Db, file: FileRow): Promise<boolean> {
  if (!(await setArchive(db, file.id, 'archived', 'restoring'))) return false;
  await addToOutbox(db, 'restore', { fileId: file.id });
  return true;
}

/**
 * One step of bringing an original back: asks the store, or copies what it has restored into STANDARD. The row says
 * `restoring` until then. May be done at any time, twice, and by several: the file's row lock lets one do it.
 */
export async function advanceRestore(deps: RestoreDeps, fileId: string): Promise<RestoreProgress> {
  return deps.db.transaction().execute(async (trx): Promise<RestoreProgress> => {
    await allowIdle(trx);
    const file = await lockFile(trx, fileId);
    const key = file?.archive === 'restoring' ? await archivedKey(trx, file) : null;
    if (file === null || key === null) return 'over';
    const status = await askForRestored(deps, key);
    if (status === 'archived' || status === 'restoring') return 'under way';
    const info = await deps.storage.primaryInfo(key);
    if (info.storageClass !== 'STANDARD')
      await deps.storage.copyFile(key, key, { storageClass: 'STANDARD', ifMatch: info.etag });
    await setStorageClass(trx, key, 'STANDARD');
    await setArchive(trx, file.id, 'restoring', 'none');
    return 'over';
  });
}

/** The key of what is archived of a file: its original, or the document. */
export async function archivedKey(db: Db, file: FileRow): Promise<string | null> {
  if (file.kind === 'verification_document')
    return (await listObjects(db, file.id)).find((object) => object.state === 'live')?.key ?? null;
  const variants = await listVariants(db, [file.id]);
  return variants.find((variant) => variant.name === 'original')?.key ?? null;
}

/** Asks the store for an archived object, unless that was done. Resolves to where it stands then. */
export async function askForRestored(
  { storage }: { readonly storage: Pick<StorageService, 'archiveStatus' | 'restoreFile'> },
  key: string,
): Promise<ArchiveStatus> {
  const before = await storage.archiveStatus(key);
  if (before !== 'archived') return before;
  await storage.restoreFile(key, READABLE_DAYS);
  return storage.archiveStatus(key);
}
