import { buffer } from 'node:stream/consumers';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import { fileId } from '../../domain/ids.ts';
import { type ObjectKey, quarantineRawKey, uploadKey } from '../../domain/keys.ts';
import { lockFileAndItem } from '../../db/files.ts';
import { condemnObjects, listObjects, settleObjects } from '../../db/objects.ts';
import { addToOutbox } from '../../db/outbox.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import type { ServiceDeps } from '../../services/deps.ts';
import { announceFor } from '../../services/announce.ts';
import { undo } from '../../services/removal.ts';

/** Where the uploaded bytes lie now: under `temp/`, or in quarantine once the check has taken long. */
export async function rawKey(db: Db, file: Pick<FileRow, 'id'>): Promise<ObjectKey> {
  const quarantined = quarantineRawKey(fileId(file.id));
  const objects = await listObjects(db, file.id);
  const isMoved = objects.some((object) => object.key === quarantined && object.state === 'live');
  return isMoved ? quarantined : uploadKey(fileId(file.id));
}

/** Reads the uploaded bytes, wherever they lie; under `temp/` only those whose ETag was noted. */
export async function readRaw(
  deps: Pick<ServiceDeps, 'db' | 'storage'>,
  file: FileRow,
  signal: AbortSignal,
): Promise<Uint8Array> {
  return withRaw(deps.db, file, async (key) => {
    if (file.upload_etag === null) throw new StorageError('UPLOAD_INCOMPLETE');
    // A copy in quarantine has an ETag of its own.
    const pin = key.startsWith('temp/') ? { ifMatch: file.upload_etag } : {};
    const { body } = await deps.storage.downloadFile(key, { ...pin, signal });
    return buffer(body);
  });
}

/** Does something with the uploaded bytes; once more when they were moved while it was done. */
export async function withRaw<T>(
  db: Db,
  file: Pick<FileRow, 'id'>,
  work: (key: ObjectKey) => Promise<T>,
): Promise<T> {
  const key = await rawKey(db, file);
  try {
    return await work(key);
  } catch (error) {
    const now = await rawKey(db, file);
    if (!isStorageError(error, 'NOT_FOUND') || now === key) throw error;
    return work(now);
  }
}

/** Moves the bytes of a photo that is still being checked out of temporary storage, which is emptied after a day. */
export async function keepRaw(deps: Pick<ServiceDeps, 'db' | 'storage'>, file: FileRow): Promise<void> {
  const id = fileId(file.id);
  const [from, to] = [uploadKey(id), quarantineRawKey(id)];
  if ((await rawKey(deps.db, file)) === to) return;
  if (!(await announceFor(deps.db, { id, from: ['received', 'checking'] }, [to]))) return;
  try {
    await deps.storage.copyFile(from, to);
    const isKept = await deps.db.transaction().execute(async (trx) => {
      const now = await lockFileAndItem(trx, id);
      if (now?.state !== 'received' && now?.state !== 'checking') return false;
      await settleObjects(trx, [to]);
      const keys = await condemnObjects(trx, [from]);
      await addToOutbox(trx, 'delete-objects', { fileId: id, keys, paths: [] });
      return true;
    });
    if (!isKept) await undo(deps.db, id, [to]);
  } catch (error) {
    await undo(deps.db, id, [to]);
    throw error;
  }
}
