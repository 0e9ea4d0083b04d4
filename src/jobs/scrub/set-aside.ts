import { isHeld } from '../../db/holds.ts';
import type { Db } from '../../db/schema.ts';
import { isStorageError } from '../../domain/errors.ts';
import { isServedKey } from '../../domain/keys.ts';
import type { RunAction } from '../../domain/runs.ts';
import { forgetCached, giveUpObject, lockForMending } from '../../services/damage.ts';
import type { ScrubDeps } from './deps.ts';
import { examine } from './examine.ts';
import type { Mending, MendOptions } from './mend.ts';
import { NO_LIMIT } from './throttle.ts';

/**
 * The bytes are lost, for now: the photo no longer offers them, and what lies in their place is hidden in the primary and
 * forgotten by caches. Nothing is destroyed that the store can keep, and row and state stay, so that a copy that turns up
 * later is put back. What lies there is left, and the action says so, when
 *
 * - its file is under legal hold (`hold`): damaged bytes are evidence, too;
 * - a backup source could not be asked (`postpone`): it may have the bytes, and the next scrub asks again;
 * - hiding would destroy an earlier version (`postpone`).
 *
 * Null when the object is right after all.
 */
export async function setAside(
  deps: ScrubDeps,
  { damage, search }: Mending,
  options: MendOptions,
): Promise<RunAction | null> {
  const { object } = damage;
  const { key } = object;
  const { unasked } = await search();
  const left = async (db: Db): Promise<RunAction | null> => {
    if (await isHeld(db, object.fileId)) return { action: 'hold', subject: key };
    return unasked.length > 0 ? { action: 'postpone', subject: key, details: { unasked } } : null;
  };
  const done = { action: 'set-aside', subject: key };
  if (options.dryRun) return (await left(deps.db)) ?? done;
  return deps.db.transaction().execute(async (trx) => {
    const file = await lockForMending(trx, object);
    if (file === null) return null;
    // Read once more, at full speed, since the lock is held meanwhile.
    const now = await examine(deps, object, { signal: options.signal, deep: true, throttle: NO_LIMIT });
    if (now.verdict !== 'wrong') return null;
    await giveUpObject(trx, file, key);
    const asItIs = await left(trx);
    if (asItIs !== null || !isServedKey(key)) return asItIs ?? done;
    if (now.finding?.kind !== 'missing' && !(await isHidden(deps, key, options.signal)))
      return {
        action: 'postpone',
        subject: key,
        details: { reason: 'an earlier version would be destroyed' },
      };
    await forgetCached(trx, file, key);
    return done;
  });
}

async function isHidden({ primary }: ScrubDeps, key: string, signal: AbortSignal): Promise<boolean> {
  try {
    await primary.hideFile(key, signal);
    return true;
  } catch (error) {
    if (isStorageError(error, 'CONFLICT')) return false;
    throw error;
  }
}
