import { allowIdle } from '../../db/idle.ts';
import { isHeld } from '../../db/holds.ts';
import { noteTold } from '../../db/object-checks.ts';
import type { Db } from '../../db/schema.ts';
import { isStorageError } from '../../domain/errors.ts';
import { isPublicKey } from '../../domain/keys.ts';
import type { RunAction } from '../../domain/runs.ts';
import { forgetCached, giveUpObject, lockForMending } from '../../services/damage.ts';
import type { Damage } from './damage.ts';
import type { ScrubDeps } from './deps.ts';
import { examine } from './examine.ts';
import { type Aside, dropAside, keepAside, settleAside } from './keep-aside.ts';
import type { Mending, MendOptions } from './mend.ts';
import { isKnown, sightOf, stillLost, toldOf } from './told.ts';
import { withdraw } from './withdraw.ts';

/**
 * The bytes are lost, for now: the photo no longer offers them, and what lies in their place is hidden in the primary and
 * forgotten by caches, so that nobody reads it at its address. Nothing is destroyed that the store can keep, and row and
 * state stay, so that a copy that turns up later is put back. What lies at a public key is copied into quarantine
 * first, and the action says so, when
 *
 * - its file is under legal hold (`hold`): damaged bytes are evidence, too;
 * - a backup source could not be asked (`postpone`): it may have the bytes, and the next scrub asks again;
 * - hiding would destroy an earlier version (`postpone`): then it stays, and CDNs are refused (`withheld`).
 *
 * What was told lately and is as it was is `still-lost`. Null when the object is right after all.
 */
export async function setAside(
  deps: ScrubDeps,
  { damage, search }: Mending,
  options: MendOptions,
): Promise<RunAction | null> {
  const { object } = damage;
  const { unasked } = await search();
  const kept = async (db: Db): Promise<RunAction | null> => {
    if (await isHeld(db, object.fileId)) return { action: 'hold', subject: object.key };
    return unasked.length > 0 ? { action: 'postpone', subject: object.key, details: { unasked } } : null;
  };
  const done: RunAction = { action: 'set-aside', subject: object.key };
  const known = isKnown(damage, deps.clock.now()) ? object.told : null;
  const isSaid = (action: RunAction) => known !== null && known.startsWith(`${action.action}: `);
  const planned = (await kept(deps.db)) ?? done;
  if (options.dryRun || isSaid(planned)) return isSaid(planned) ? stillLost(planned, damage) : planned;

  // Once more, and without the lock: reading and copying may take long.
  const now = await examine(deps, object, { ...options, deep: true });
  if (now.verdict !== 'wrong' || now.finding === null) return null;
  const seen: Damage = { object, finding: now.finding, info: now.info };
  const aside = planned === done ? null : await keepAside(deps, seen, options.signal);
  let said: RunAction | null = null;
  try {
    said = await giveUp(
      deps,
      seen,
      { aside, decide: async (db) => (await kept(db)) ?? done },
      options.signal,
    );
  } finally {
    if (said === null && aside !== null) await dropAside(deps, object.fileId, aside);
  }
  return said;
}

interface Decision {
  readonly aside: Aside | null;
  readonly decide: (db: Db) => Promise<RunAction>;
}

/** What is left to do under the file's lock: rows, and the few short requests that hide an object. */
async function giveUp(
  deps: ScrubDeps,
  seen: Damage,
  { aside, decide }: Decision,
  signal: AbortSignal,
): Promise<RunAction | null> {
  const { object, finding, info } = seen;
  const { key } = object;
  return deps.db.transaction().execute(async (trx) => {
    await allowIdle(trx);
    const file = await lockForMending(trx, object);
    if (file === null || !(await isUnchanged(deps, seen, signal))) return null;
    await giveUpObject(trx, file, key);
    const action = await decide(trx);
    if (aside !== null) await settleAside(trx, key, aside);
    const isMissing = finding.kind === 'missing';
    const left = await withdraw(deps, { action, key, isMissing, aside }, signal);
    if (left.is !== 'there') await forgetCached(trx, file, key);
    const sight = left.is === 'hidden' ? 'missing' : sightOf(finding, info?.etag ?? null);
    const isOver = left.is !== 'there' || !isPublicKey(key) || info === null;
    if (isOver) await noteTold(trx, key, toldOf(action, sight));
    return left.said;
  });
}

/** Whether the object that was read is the one that lies there, by what the store says of it. */
async function isUnchanged({ primary }: ScrubDeps, { object, info }: Damage, signal: AbortSignal) {
  try {
    const now = await primary.fileInfo(object.key, signal);
    return now.etag === info?.etag && now.modifiedAt.getTime() === info.modifiedAt.getTime();
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND') || isStorageError(error, 'OBJECT_DAMAGED')) return info === null;
    throw error;
  }
}
