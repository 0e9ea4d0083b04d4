import { markDamaged } from '../../db/object-checks.ts';
import { listLiveObjectsOf, type StoredObject } from '../../db/scrub.ts';
import { lockForMending } from '../../services/damage.ts';
import type { ObjectInfo } from '../../ports/object-store.ts';
import type { ScrubDeps } from './deps.ts';
import { examine, type ExamineOptions, type Finding } from './examine.ts';
import { endsRun } from './stops.ts';

/** An object that is not as it should be, found so twice. */
export interface Damage {
  readonly object: StoredObject;
  readonly finding: Finding;
  /** Null when the object is missing, or does not say. */
  readonly info: ObjectInfo | null;
}

export interface FileDamage {
  readonly damages: readonly Damage[];
  /** Why one of the objects could not be looked at; the others were all the same. Null: all could. */
  readonly unread: { readonly error: unknown } | null;
}

/**
 * Everything that is wrong with the objects of a file, by the rows as they are now: a second look, all bytes read. What
 * was suspected because the file moved on meanwhile is not found again. Errors: DATABASE_UNAVAILABLE, ABORTED.
 */
export async function findDamage(
  deps: ScrubDeps,
  fileId: string,
  how: Omit<ExamineOptions, 'deep'>,
): Promise<FileDamage> {
  const damages: Damage[] = [];
  let unread: FileDamage['unread'] = null;
  for (const object of await listLiveObjectsOf(deps.db, fileId)) {
    try {
      const { finding, info } = await examine(deps, object, { ...how, deep: true });
      if (finding !== null && (await stillStands(deps, object))) damages.push({ object, finding, info });
    } catch (error) {
      if (endsRun(error, how.signal)) throw error;
      unread ??= { error };
    }
  }
  return { damages, unread };
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
