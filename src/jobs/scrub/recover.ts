import type { StoredObject } from '../../db/scrub.ts';
import { isServedKey } from '../../domain/keys.ts';
import { acceptObject, lockForMending } from '../../services/damage.ts';
import { stopWithholding, withholdIfThere } from '../../services/storage/withhold.ts';
import type { ScrubDeps } from './deps.ts';

/**
 * Takes back that an object is damaged: its bytes were read and are right. The tag by which CloudFront was refused goes
 * first: when a process dies between the two the next scrub finds the object again. False when its file has moved on; then it
 * is refused again, since a legal hold may keep it there until it is moved.
 */
export async function recover(deps: ScrubDeps, object: StoredObject, signal: AbortSignal): Promise<boolean> {
  const { key } = object;
  if (isServedKey(key)) await stopWithholding(deps.primary, key, signal);
  const isAccepted = await deps.db.transaction().execute(async (trx) => {
    const file = await lockForMending(trx, object);
    if (file !== null) await acceptObject(trx, file, key);
    return file !== null;
  });
  if (!isAccepted && isServedKey(key)) await withholdIfThere(deps.primary, key, signal);
  return isAccepted;
}
