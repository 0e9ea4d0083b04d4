import type { StoredObject } from '../../db/scrub.ts';
import { acceptObject, lockForMending } from '../../services/damage.ts';
import type { ScrubDeps } from './deps.ts';

/** Takes back that an object is damaged: its bytes were read and are right. False when its file has moved on. */
export async function recover(deps: ScrubDeps, object: StoredObject): Promise<boolean> {
  return deps.db.transaction().execute(async (trx) => {
    const file = await lockForMending(trx, object);
    if (file === null) return false;
    await acceptObject(trx, file, object.key);
    return true;
  });
}
