import type { RunAction } from '../../domain/runs.ts';
import { forgetCached, giveUpObject, lockForMending } from '../../services/damage.ts';
import type { Damage } from './damage.ts';
import type { ScrubDeps } from './deps.ts';
import { examine } from './examine.ts';
import type { MendOptions } from './mend.ts';
import { NO_LIMIT } from './throttle.ts';

/**
 * The bytes are lost, for now: what lies in their place is taken out of the places that are served from, caches forget it,
 * and the photo no longer offers it. Row and state stay, so that a backup that comes later can put it back. Only the
 * primary's object is removed: backups are left as they are. Null when the object is right after all.
 */
export async function setAside(
  deps: ScrubDeps,
  { object }: Damage,
  _all: readonly Damage[],
  options: MendOptions,
): Promise<RunAction | null> {
  const { key } = object;
  const action = { action: 'set-aside', subject: key };
  if (options.dryRun) return action;
  return deps.db.transaction().execute(async (trx) => {
    const file = await lockForMending(trx, object);
    if (file === null) return null;
    // Read once more, at full speed, since the lock is held meanwhile.
    const now = await examine(deps, object, { signal: options.signal, deep: true, throttle: NO_LIMIT });
    if (now.verdict !== 'wrong') return null;
    await giveUpObject(trx, file, key);
    if (!isServed(key)) return action;
    await deps.primary.deleteFile(key, options.signal);
    await forgetCached(trx, file, key);
    return action;
  });
}

function isServed(key: string): boolean {
  return /^(items|profiles|quarantine\/view)\//.test(key);
}
