import { isHeld } from '../../db/holds.ts';
import { noteTold } from '../../db/object-checks.ts';
import type { Db } from '../../db/schema.ts';
import { isStorageError } from '../../domain/errors.ts';
import { isPublicKey, isServedKey, type ObjectKey } from '../../domain/keys.ts';
import type { RunAction } from '../../domain/runs.ts';
import { forgetCached, giveUpObject, lockForMending } from '../../services/damage.ts';
import { withhold } from '../../services/storage/withhold.ts';
import type { ScrubDeps } from './deps.ts';
import { type Examined, examine } from './examine.ts';
import { announceAside, copyAside } from './keep-aside.ts';
import type { Mending, MendOptions } from './mend.ts';
import { NO_LIMIT } from './throttle.ts';
import { isKnown, sightOf, stillLost, toldOf } from './told.ts';

/**
 * The bytes are lost, for now: the photo no longer offers them, and what lies in their place is hidden in the primary and
 * forgotten by caches, so that nobody reads it at its address. Nothing is destroyed that the store can keep, and row and
 * state stay, so that a copy that turns up later is put back. What lies at a public key is copied into quarantine
 * first, and the action says so, when
 *
 * - its file is under legal hold (`hold`): damaged bytes are evidence, too;
 * - a backup source could not be asked (`postpone`): it may have the bytes, and the next scrub asks again;
 * - hiding would destroy an earlier version (`postpone`): then it stays, and only the CDN is refused (`withheld`).
 *
 * What was told lately and is as it was is `still-lost`. Null when the object is right after all.
 */
export async function setAside(
  deps: ScrubDeps,
  { damage, search }: Mending,
  options: MendOptions,
): Promise<RunAction | null> {
  const { object } = damage;
  const { key } = object;
  const { unasked } = await search();
  const kept = async (db: Db): Promise<RunAction | null> => {
    if (await isHeld(db, object.fileId)) return { action: 'hold', subject: key };
    return unasked.length > 0 ? { action: 'postpone', subject: key, details: { unasked } } : null;
  };
  const done: RunAction = { action: 'set-aside', subject: key };
  const known = isKnown(damage, deps.clock.now()) ? object.told : null;
  const isSaid = (action: RunAction) => known !== null && known.startsWith(`${action.action}: `);
  const planned = (await kept(deps.db)) ?? done;
  if (options.dryRun || isSaid(planned)) return isSaid(planned) ? stillLost(planned, damage) : planned;
  const aside = planned === done || damage.info === null ? null : await announceAside(deps, object);
  return deps.db.transaction().execute(async (trx) => {
    const file = await lockForMending(trx, object);
    if (file === null) return null;
    // Read once more, at full speed, since the lock is held meanwhile.
    const now = await examine(deps, object, { signal: options.signal, deep: true, throttle: NO_LIMIT });
    if (now.verdict !== 'wrong' || now.finding === null) return null;
    await giveUpObject(trx, file, key);
    const action = (await kept(trx)) ?? done;
    const left = await withdraw(deps, trx, { action, key, now, aside }, options.signal);
    if (left.is !== 'there') await forgetCached(trx, file, key);
    const sight = left.is === 'hidden' ? 'missing' : sightOf(now.finding, now.info?.etag ?? null);
    const isOver = left.is !== 'there' || !isPublicKey(key) || now.info === null;
    if (isOver) await noteTold(trx, key, toldOf(action, sight));
    return left.said;
  });
}

interface Left {
  /** Whether it can still be read at its key. */
  readonly is: 'hidden' | 'withheld' | 'there';
  readonly said: RunAction;
}

/**
 * Sees to it that what lies at a public key is read there by nobody, once it is kept apart where it has to be kept. What
 * the store itself does not give, and what is not public, is left where it has to be kept.
 */
async function withdraw(
  deps: ScrubDeps,
  trx: Db,
  found: { action: RunAction; key: string; now: Examined; aside: ObjectKey | null },
  signal: AbortSignal,
): Promise<Left> {
  const { action, key, now, aside } = found;
  if (now.finding?.kind === 'missing') return { is: 'hidden', said: action };
  const isFinal = action.action === 'set-aside';
  if (!isServedKey(key) || (!isFinal && (aside === null || now.info === null)))
    return { is: 'there', said: action };
  const said = { ...action, details: { ...action.details } };
  if (!isFinal && aside !== null && now.info !== null) {
    await copyAside(deps, trx, { key, etag: now.info.etag }, aside, signal);
    said.details['keptAs'] = aside;
  }
  if (await isHidden(deps, key, signal)) return { is: 'hidden', said: isFinal ? action : said };
  const isWithheld = await withhold(deps.primary, key, signal);
  said.details['reason'] = 'an earlier version would be destroyed';
  said.details['withheld'] = isWithheld;
  return {
    is: isWithheld ? 'withheld' : 'there',
    said: isFinal ? { ...said, action: 'postpone' } : said,
  };
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
