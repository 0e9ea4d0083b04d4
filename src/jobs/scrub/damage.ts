import { markDamaged } from '../../db/object-checks.ts';
import { listLiveObjectsOf, type StoredObject } from '../../db/scrub.ts';
import { lockForMending } from '../../services/damage.ts';
import type { ObjectInfo } from '../../ports/object-store.ts';
import type { ScrubDeps } from './deps.ts';
import { examine, type ExamineOptions, type Finding } from './examine.ts';

/** An object that is not as it should be, found so twice. */
export interface Damage {
  readonly object: StoredObject;
  readonly finding: Finding;
  /** Null when the object is missing, or does not say. */
  readonly info: ObjectInfo | null;
}

/**
 * Everything that is wrong with the objects of a file, by the rows as they are now: a second look, all bytes read. What
 * was suspected because the file moved on meanwhile is not found again. Errors: STORAGE_UNAVAILABLE, ABORTED.
 */
export async function findDamage(
  deps: ScrubDeps,
  fileId: string,
  how: Omit<ExamineOptions, 'deep'>,
): Promise<Damage[]> {
  const found: Damage[] = [];
  for (const object of await listLiveObjectsOf(deps.db, fileId)) {
    const { finding, info } = await examine(deps, object, { ...how, deep: true });
    if (finding !== null && (await stillStands(deps, object))) found.push({ object, finding, info });
  }
  return found;
}

/** Whoever removes or replaces an object says so in its row first. */
async function stillStands(deps: ScrubDeps, object: StoredObject): Promise<boolean> {
  return deps.db.transaction().execute(async (trx) => (await lockForMending(trx, object)) !== null);
}

/**
 * Notes what was found before anything is done about it: a scrub that dies between mending an object and saying so finds
 * the mark, and caches are purged all the same.
 */
export async function markFound(deps: ScrubDeps, damages: readonly Damage[]): Promise<void> {
  for (const { object } of damages)
    await deps.db.transaction().execute(async (trx) => {
      if ((await lockForMending(trx, object)) !== null) await markDamaged(trx, object.key);
    });
}
