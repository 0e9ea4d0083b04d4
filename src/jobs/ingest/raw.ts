import { buffer } from 'node:stream/consumers';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import { fileId } from '../../domain/ids.ts';
import {
  isReceivedKey,
  isTemporaryKey,
  type ObjectKey,
  quarantineRawKey,
  uploadKey,
} from '../../domain/keys.ts';
import { lockFileAndItem } from '../../db/files.ts';
import { condemnTemporary, listObjects, settleObjects } from '../../db/objects.ts';
import { addToOutbox } from '../../db/outbox.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import type { ServiceDeps } from '../../services/deps.ts';
import { announceFor } from '../../services/announce.ts';
import { undo } from '../../services/removal.ts';

/**
 * Where the uploaded bytes lie now: in quarantine once the check has taken long; under `temp/` before, as a copy when they
 * came past us.
 */
export async function rawKey(db: Db, file: Pick<FileRow, 'id'>): Promise<ObjectKey> {
  const id = fileId(file.id);
  const live = (await listObjects(db, id)).filter((object) => object.state === 'live').map(({ key }) => key);
  const quarantined = quarantineRawKey(id);
  if (live.includes(quarantined)) return quarantined;
  return live.find((key) => isReceivedKey(id, key)) ?? uploadKey(id);
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
    const pin = isTemporaryKey(key) ? { ifMatch: file.upload_etag } : {};
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
  const [from, to] = [await rawKey(deps.db, file), quarantineRawKey(id)];
  if (from === to || file.upload_etag === null) return;
  if (!(await announceFor(deps.db, { id, from: ['received', 'checking'] }, [to]))) return;
  try {
    await deps.storage.copyFile(from, to, { ifMatch: file.upload_etag });
    const isKept = await deps.db.transaction().execute(async (trx) => {
      const now = await lockFileAndItem(trx, id);
      if (now?.state !== 'received' && now?.state !== 'checking') return false;
      await settleObjects(trx, [to]);
      const keys = await condemnTemporary(trx, id);
      await addToOutbox(trx, 'delete-objects', { fileId: id, keys, paths: [] });
      return true;
    });
    if (!isKept) await undo(deps.db, id, [to]);
  } catch (error) {
    await undo(deps.db, id, [to]);
    throw error;
  }
}
