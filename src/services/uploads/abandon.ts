import { lockFileAndItem } from '../../db/files.ts';
import { isStorageError } from '../../domain/errors.ts';
import type { FileId } from '../../domain/ids.ts';
import type { ServiceDeps } from '../deps.ts';
import { discard } from '../removal.ts';

/** Removes what an upload that failed has left: the bytes, the place, everything but the tombstone. */
export async function abandon(deps: Pick<ServiceDeps, 'db'>, id: FileId, error: unknown): Promise<void> {
  const reason = isStorageError(error)
    ? { code: error.code, message: error.message }
    : ({ code: 'INTERNAL', message: 'Something went wrong on our side.' } as const);
  await deps.db.transaction().execute(async (trx) => {
    const file = await lockFileAndItem(trx, id);
    if (file?.state === 'pending') await discard(trx, file, reason);
  });
}
