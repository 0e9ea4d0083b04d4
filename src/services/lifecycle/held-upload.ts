import { lockFile } from '../../db/files.ts';
import { isHeld } from '../../db/holds.ts';
import { allowIdle } from '../../db/idle.ts';
import { announceObjects, dropRow, listObjects, settleObjects } from '../../db/objects.ts';
import { fileId } from '../../domain/ids.ts';
import {
  isReceivedKey,
  isTemporaryKey,
  type ObjectKey,
  objectKey,
  quarantineRawKey,
} from '../../domain/keys.ts';
import type { Db } from '../../db/schema.ts';
import type { LifecycleDeps } from './work.ts';

/**
 * Moves the uploaded bytes of a held file from temporary storage to quarantine, where no rule of the bucket reaches them.
 * Dies it half-way, both copies are named or only the new one is, and it is done again. False when there is nothing to
 * move, or no hold any more. `also` is done in the same transaction.
 */
export async function keepHeldUpload(
  deps: Pick<LifecycleDeps, 'db' | 'storage'>,
  heldFile: string,
  also: (trx: Db) => Promise<void> = async () => undefined,
): Promise<boolean> {
  const id = fileId(heldFile);
  const to = quarantineRawKey(id);
  const left = await deps.db.transaction().execute(async (trx): Promise<ObjectKey | null> => {
    await allowIdle(trx);
    const file = await lockFile(trx, id);
    const live = (await listObjects(trx, id)).filter((object) => object.state === 'live');
    // Of what came past the service, the copy that was pinned.
    const upload =
      live.find((object) => isReceivedKey(id, object.key)) ??
      live.find((object) => isTemporaryKey(object.key));
    const etag = file?.upload_etag ?? null;
    if (upload === undefined || etag === null || !(await isHeld(trx, id))) return null;
    const from = objectKey(upload.key);
    if (!live.some((object) => object.key === to)) {
      await announceObjects(trx, id, [to]);
      // A form may be sent again: what counts is what was there when the upload was completed.
      await deps.storage.copyFile(from, to, { ifMatch: etag });
      await settleObjects(trx, [to]);
    }
    await dropRow(trx, from);
    await also(trx);
    return from;
  });
  // Nobody names it any more: what fails here is removed as an unused object.
  if (left !== null) await deps.storage.deleteFile(left);
  return left !== null;
}
