import { lockFile } from '../../db/files.ts';
import { isHeld } from '../../db/holds.ts';
import { findObjectOwner } from '../../db/objects.ts';
import type { NamedObject } from '../../db/stored.ts';
import { isStorageError } from '../../domain/errors.ts';
import { isFileId } from '../../domain/ids.ts';
import { cutoff, UNNAMED_GRACE_DAYS } from '../../domain/retention.ts';
import { ROW_NAMED_PREFIXES } from '../../domain/keys.ts';
import type { ListedObject } from '../../ports/object-store.ts';
import { noteClass } from './note-class.ts';
import { type BothSides, readBothSides } from './side-by-side.ts';
import { eachOf, type LifecycleDeps, type LifecycleWork, type Outcome, type Part, record } from './work.ts';

const LIMITS = { objects: 1_000, rows: 5_000 };
const LANES = 3;
/** Leftovers in a page that are never taken for a mistake. */
const FEW = 10;

/**
 * For each prefix that rows name all of: objects without a row are removed, rows whose object is missing are reported,
 * and the class of each is noted where the bucket, or somebody, has moved it.
 */
export const reconcileParts: readonly Part[] = ROW_NAMED_PREFIXES.map((prefix) => ({
  name: `reconcile ${prefix}`,
  async page(deps, work, after) {
    const { objects, rows, next } = await readBothSides(deps, { prefix, after }, LIMITS, work.signal);
    const before = youngest(deps);
    const stored = new Map<string, ListedObject>(objects.map((object) => [object.key, object]));
    const live = rows.filter((row) => row.state === 'live');
    const missing = live.filter((row) => !stored.has(row.key) && row.changedAt < before);
    const moved = live.filter(
      (row) => (stored.get(row.key)?.storageClass ?? row.storageClass) !== row.storageClass,
    );
    const removed = await removeAllUnnamed(deps, work, prefix, { objects, rows });
    const reported = await eachOf(deps, missing, LANES, (row) => reportMissing(deps, work, row));
    const noted = await eachOf(deps, moved, LANES, (row) => noteClass(deps, work, row));
    return { next, outcomes: [...removed, ...reported, ...noted] };
  },
}));

/**
 * Objects without a row that the replica alone has: it may have taken a copy that came late, or missed a deletion. Nothing
 * else is read from it: what it lacks may be on its way, and its classes are its own.
 */
export const reconcileReplicaParts: readonly Part[] = ROW_NAMED_PREFIXES.map((prefix) => ({
  name: `reconcile ${prefix} in the replica`,
  async page(deps, work, after) {
    if (deps.replica === undefined) return { next: null, outcomes: [] };
    const there = { db: deps.db, storage: deps.replica };
    const { objects, rows, next } = await readBothSides(there, { prefix, after }, LIMITS, work.signal);
    return { next, outcomes: await removeAllUnnamed(deps, work, prefix, { objects, rows }) };
  },
}));

async function removeAllUnnamed(
  deps: LifecycleDeps,
  work: LifecycleWork,
  prefix: string,
  { objects, rows }: Pick<BothSides, 'objects' | 'rows'>,
): Promise<Outcome[]> {
  const before = youngest(deps);
  const named = new Set(rows.map((row) => row.key));
  const unnamed = objects.filter((object) => !named.has(object.key) && object.modifiedAt < before);
  if (work.unnamedStay) return unnamed.map(() => ({ left: 'may be newer than the database' }));
  return isDoubtful(work, unnamed.length, objects.length)
    ? leaveAll(deps, prefix, unnamed)
    : eachOf(deps, unnamed, LANES, (object) => removeUnnamed(deps, work, object));
}

/** What came later may still be on its way to its row, or its row to it. */
function youngest({ clock }: LifecycleDeps): Date {
  return cutoff({ days: UNNAMED_GRACE_DAYS }, clock.now());
}

/** An empty database beside a full store, or the wrong one, names nothing: that is no reason to empty the store by itself. */
function isDoubtful({ unattended }: LifecycleWork, unnamed: number, of: number): boolean {
  return unattended && unnamed > FEW && unnamed > of / 2;
}

function leaveAll({ log }: LifecycleDeps, prefix: string, unnamed: readonly ListedObject[]): Outcome[] {
  log.warn(
    { prefix, objects: unnamed.length, first: unnamed[0]?.key },
    'most objects are named by no row and are left: if this is the right database, start a lifecycle run to remove them',
  );
  return unnamed.map(() => ({ left: 'too many at once' }));
}

async function removeUnnamed(
  deps: LifecycleDeps,
  work: LifecycleWork,
  object: ListedObject,
): Promise<Outcome> {
  const { key, bytes } = object;
  const details = { rule: 'reconcile', bytes };
  const done: Outcome = { action: { action: 'delete', subject: key, details }, bytes };
  const owner = fileOf(key);
  return deps.db.transaction().execute(async (trx): Promise<Outcome> => {
    // Nobody names it anew, or holds its file, before it is gone; it may have come to its row since the page was read.
    if (owner !== null) {
      await lockFile(trx, owner);
      if (await isHeld(trx, owner)) return null;
    }
    if (work.dryRun) return done;
    if ((await findObjectOwner(trx, key)) !== null) return { left: 'changed meanwhile' };
    await deps.storage.deleteFile(key, work.signal);
    await record(trx, work, done.action);
    return done;
  });
}

/** Nothing is done about it here: whoever made it go should be asked first. */
async function reportMissing(deps: LifecycleDeps, work: LifecycleWork, row: NamedObject): Promise<Outcome> {
  if (await exists(deps, row.key, work.signal)) return null;
  if ((await findObjectOwner(deps.db, row.key)) === null) return null;
  const action = { action: 'miss', subject: row.key, details: { rule: 'reconcile', fileId: row.fileId } };
  if (!work.dryRun) await record(deps.db, work, action);
  return { action, bytes: 0 };
}

async function exists(deps: LifecycleDeps, key: string, signal: AbortSignal): Promise<boolean> {
  try {
    await deps.storage.primaryInfo(key, signal);
    return true;
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND')) return false;
    throw error;
  }
}

/** The file that a key was made for, by its name. */
function fileOf(key: string): string | null {
  const id = (key.split('/').at(-1) ?? '').slice(0, 36);
  return isFileId(id) ? id : null;
}
