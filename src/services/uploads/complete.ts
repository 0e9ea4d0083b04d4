import { findFile, findSameUpload, lockFileAndItem, transition } from '../../db/files.ts';
import { condemnTemporary, settleObjects } from '../../db/objects.ts';
import { addToOutbox } from '../../db/outbox.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { StorageError } from '../../domain/errors.ts';
import type { FileId } from '../../domain/ids.ts';
import type { ObjectKey } from '../../domain/keys.ts';
import type { ServiceDeps } from '../deps.ts';
import { discard, undo } from '../removal.ts';
import { type PlacedUpload, takeArrived } from './arrival.ts';
import { type StoredUpload, uploadColumns } from './receive.ts';
import { storedKey } from './stored-key.ts';
import { refusalOf } from './wait.ts';

/** The file that stands for the upload now; `duplicate` when it is another that was there before. */
export interface Completed {
  readonly file: FileRow;
  readonly duplicate: boolean;
}

/**
 * pending → received, with the job that follows, in one transaction. Idempotent: told by the client, by the storage or
 * by the sweeper, twice or at once, it happens once. The object's ETag is pinned: other bytes put there later are not
 * read. The same bytes in the same listing are answered with the photo that is there.
 * `stored` is what has just been received, when that is not in the row yet: one commit less.
 * Errors: NOT_FOUND, UPLOAD_INCOMPLETE when no bytes have arrived, CONFLICT when they changed under us, the refusal of
 * bytes that were not announced, also when it was found before.
 */
export async function complete(
  deps: Pick<ServiceDeps, 'db' | 'storage' | 'limits' | 'clock'>,
  id: FileId,
  stored: StoredUpload | null = null,
): Promise<Completed> {
  const before = stored === null ? await findFile(deps.db, id) : null;
  if (stored === null && before?.state !== 'pending') return completedBefore(deps.db, before);
  const placed = before === null ? null : await placedUpload(deps, before);
  const upload = stored ?? placed;
  let isTaken = false;
  try {
    return await deps.db.transaction().execute(async (trx) => {
      const file = await lockFileAndItem(trx, id);
      if (file?.state !== 'pending') return completedBefore(trx, file);
      const same = await sameInListing(trx, file, upload?.sha256 ?? file.upload_sha256);
      if (same !== null) {
        await discard(trx, file, {
          code: 'CONFLICT',
          message: 'The same photo was in the listing.',
          duplicateOf: same.id,
        });
        return { file: same, duplicate: true };
      }
      const key = placed?.key ?? storedKey(file);
      const received = await markReceived(deps, trx, file, upload, key);
      if (before !== null) await removeLeftovers(trx, id, key);
      isTaken = true;
      return { file: received, duplicate: false };
    });
  } finally {
    // Somebody else was faster, with a copy of their own.
    if (placed !== null && !isTaken) await undo(deps.db, id, [placed.key]);
  }
}

/** What has arrived past us or in parts; null when it came through us whole, and lies where it was put. */
async function placedUpload(
  deps: Pick<ServiceDeps, 'db' | 'storage' | 'limits'>,
  file: FileRow,
): Promise<PlacedUpload | null> {
  if (file.form_expires_at !== null || file.upload_etag === null) return takeArrived(deps, file);
  const info = await deps.storage.fileInfo(storedKey(file));
  if (info.etag !== file.upload_etag)
    throw new StorageError('CONFLICT', 'The bytes changed while the upload was being completed.');
  return null;
}

async function completedBefore(db: Db, file: FileRow | null): Promise<Completed> {
  const first = file?.duplicate_of == null ? null : await findFile(db, file.duplicate_of);
  if (first !== null) return { file: first, duplicate: true };
  if (file === null) throw gone();
  if (file.state === 'deleted' || file.state === 'deleting')
    throw (file.reason_code === null ? null : refusalOf(file)) ?? gone();
  return { file, duplicate: false };
}

function gone(): StorageError {
  return new StorageError('NOT_FOUND', 'There is no such upload.');
}

async function sameInListing(db: Db, file: FileRow, sha256: string | null): Promise<FileRow | null> {
  if (file.item_id === null || sha256 === null) return null;
  return findSameUpload(db, file.item_id, sha256, file.id);
}

async function markReceived(
  deps: Pick<ServiceDeps, 'limits' | 'clock'>,
  db: Db,
  file: FileRow,
  stored: StoredUpload | null,
  key: ObjectKey,
): Promise<FileRow> {
  if (stored === null && file.upload_etag === null) throw new StorageError('UPLOAD_INCOMPLETE');
  const now = deps.clock.now();
  const received = await transition(db, { id: file.id, from: 'pending' }, 'received', {
    ...(stored === null ? {} : uploadColumns(stored)),
    stage: 'inspect',
    received_at: now,
    deadline_at: new Date(now.getTime() + deps.limits.workSeconds * 1000),
  });
  if (received === null) throw new StorageError('CONFLICT', 'The upload was removed meanwhile.');
  await settleObjects(db, [key], stored?.objectBytes === undefined ? {} : { [key]: stored.objectBytes });
  const topic = file.kind === 'verification_document' ? 'scan-document' : 'ingest';
  await addToOutbox(db, topic, { fileId: file.id, generation: received.generation });
  return received;
}

/** Parts that were joined, and what a form brought that was copied. */
async function removeLeftovers(db: Db, fileId: FileId, key: ObjectKey): Promise<void> {
  const keys = await condemnTemporary(db, fileId, [key]);
  if (keys.length > 0) await addToOutbox(db, 'delete-objects', { fileId, keys, paths: [] });
}
