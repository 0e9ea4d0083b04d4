import { findFile, findSameUpload, lockFileAndItem, transition } from '../../db/files.ts';
import { settleObjects } from '../../db/objects.ts';
import { addToOutbox } from '../../db/outbox.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import { StorageError } from '../../domain/errors.ts';
import type { FileId } from '../../domain/ids.ts';
import type { ServiceDeps } from '../deps.ts';
import { discard } from '../removal.ts';
import { type StoredUpload, uploadColumns } from './receive.ts';
import { storedKey } from './stored-key.ts';

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
 * Errors: NOT_FOUND, UPLOAD_INCOMPLETE when no bytes have arrived, CONFLICT when they changed under us.
 */
export async function complete(
  deps: Pick<ServiceDeps, 'db' | 'storage' | 'limits' | 'clock'>,
  id: FileId,
  stored: StoredUpload | null = null,
): Promise<Completed> {
  if (stored === null) {
    const before = await findFile(deps.db, id);
    if (before?.state !== 'pending') return completedBefore(deps.db, before);
    await assertArrived(deps, before);
  }
  return deps.db.transaction().execute(async (trx) => {
    const file = await lockFileAndItem(trx, id);
    if (file?.state !== 'pending') return completedBefore(trx, file);
    const same = await sameInListing(trx, file, stored?.sha256 ?? file.upload_sha256);
    if (same !== null) {
      await discard(trx, file, {
        code: 'CONFLICT',
        message: 'The same photo was in the listing.',
        duplicateOf: same.id,
      });
      return { file: same, duplicate: true };
    }
    return { file: await markReceived(deps, trx, file, stored), duplicate: false };
  });
}

async function completedBefore(db: Db, file: FileRow | null): Promise<Completed> {
  const first = file?.duplicate_of == null ? null : await findFile(db, file.duplicate_of);
  if (first !== null) return { file: first, duplicate: true };
  if (file === null || file.state === 'deleted' || file.state === 'deleting')
    throw new StorageError('NOT_FOUND', 'There is no such upload.');
  return { file, duplicate: false };
}

async function assertArrived(deps: Pick<ServiceDeps, 'storage'>, file: FileRow): Promise<void> {
  if (file.upload_etag === null || file.upload_sha256 === null)
    throw new StorageError('UPLOAD_INCOMPLETE', 'The bytes of this upload have not arrived.');
  const info = await deps.storage.fileInfo(storedKey(file));
  if (info.etag !== file.upload_etag)
    throw new StorageError('CONFLICT', 'The bytes changed while the upload was being completed.');
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
): Promise<FileRow> {
  const now = deps.clock.now();
  const received = await transition(db, { id: file.id, from: 'pending' }, 'received', {
    ...(stored === null ? {} : uploadColumns(stored)),
    stage: 'inspect',
    received_at: now,
    deadline_at: new Date(now.getTime() + deps.limits.workSeconds * 1000),
  });
  if (received === null) throw new StorageError('CONFLICT', 'The upload was removed meanwhile.');
  await settleObjects(db, [storedKey(file)]);
  const topic = file.kind === 'verification_document' ? 'scan-document' : 'ingest';
  await addToOutbox(db, topic, { fileId: file.id, generation: received.generation });
  return received;
}
