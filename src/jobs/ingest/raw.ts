import { fileId } from '../../domain/ids.ts';
import { type ObjectKey, quarantineRawKey, uploadKey } from '../../domain/keys.ts';
import { lockFileAndItem } from '../../db/files.ts';
import { announceObjects, condemnObjects, listObjects, settleObjects } from '../../db/objects.ts';
import { addToOutbox } from '../../db/outbox.ts';
import type { Db, FileRow } from '../../db/schema.ts';
import type { ServiceDeps } from '../../services/deps.ts';

/** Where the uploaded bytes lie now: under `temp/`, or in quarantine once the check has taken long. */
export async function rawKey(db: Db, file: Pick<FileRow, 'id'>): Promise<ObjectKey> {
  const quarantined = quarantineRawKey(fileId(file.id));
  const objects = await listObjects(db, file.id);
  const isMoved = objects.some((object) => object.key === quarantined && object.state === 'live');
  return isMoved ? quarantined : uploadKey(fileId(file.id));
}

/** Moves the bytes of a photo that is still being checked out of temporary storage, which is emptied after a day. */
export async function keepRaw(deps: Pick<ServiceDeps, 'db' | 'storage'>, file: FileRow): Promise<void> {
  const id = fileId(file.id);
  const [from, to] = [uploadKey(id), quarantineRawKey(id)];
  if ((await rawKey(deps.db, file)) === to) return;
  await announceObjects(deps.db, id, [to]);
  await deps.storage.copyFile(from, to);
  await deps.db.transaction().execute(async (trx) => {
    const now = await lockFileAndItem(trx, id);
    if (now?.state !== 'received' && now?.state !== 'checking') return;
    await settleObjects(trx, [to]);
    const keys = await condemnObjects(trx, [from]);
    await addToOutbox(trx, 'delete-objects', { fileId: id, keys, paths: [] });
  });
}
