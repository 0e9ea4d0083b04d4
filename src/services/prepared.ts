import { lockFile } from '../db/files.ts';
import { lockItem } from '../db/items.ts';
import type { Database, Db, FileRow } from '../db/schema.ts';

/** A change of a photo whose objects are in place: what is left is rows. */
export interface Prepared {
  readonly file: FileRow;
  /** Null when the photo has moved on. */
  commit(trx: Db): Promise<Committed | null>;
  /** Removes what was put in place, when nothing came of it. */
  undo(): Promise<void>;
}

/** What the change made of the photo; null when that left instead, and all that goes with it stands. */
export interface Committed {
  readonly file: FileRow | null;
}

/** A change for which nothing has to be put in place. */
export function rowsOnly(file: FileRow, commit: (trx: Db) => Promise<FileRow | null>): Prepared {
  return {
    file,
    async commit(trx) {
      const changed = await commit(trx);
      return changed && { file: changed };
    },
    undo: () => Promise.resolve(),
  };
}

/**
 * Makes all of these changes in one transaction, with what `alongside` writes first, or none of them. Null when one of the photos
 * has moved on: then everything is as it was.
 */
export async function commitTogether(
  db: Database,
  changes: readonly Prepared[],
  alongside?: (trx: Db) => Promise<void>,
): Promise<readonly Committed[] | null> {
  const made = await committed(db, changes, alongside).catch(async (error: unknown) => {
    await undoAll(changes);
    if (error === MOVED_ON) return null;
    throw error;
  });
  for (const [at, { file }] of (made ?? []).entries()) if (file === null) await changes[at]?.undo();
  return made;
}

/** Rolls back what the changes before it did. */
const MOVED_ON = new Error('A photo has moved on.');

async function committed(
  db: Database,
  changes: readonly Prepared[],
  alongside: ((trx: Db) => Promise<void>) | undefined,
): Promise<Committed[]> {
  return db.transaction().execute(async (trx) => {
    await lockAll(trx, changes);
    await alongside?.(trx);
    const made: Committed[] = [];
    for (const change of changes) {
      const one = await change.commit(trx);
      if (one === null) throw MOVED_ON;
      made.push(one);
    }
    return made;
  });
}

/** Listings before photos, each in one order: of two that change the same photos neither waits for the other for ever. */
async function lockAll(trx: Db, changes: readonly Prepared[]): Promise<void> {
  for (const id of inOrder(changes.flatMap(({ file }) => file.item_id ?? []))) await lockItem(trx, id);
  for (const id of inOrder(changes.map(({ file }) => file.id))) await lockFile(trx, id);
}

function inOrder(ids: readonly string[]): string[] {
  return [...new Set(ids)].toSorted((a, b) => (a < b ? -1 : 1));
}

async function undoAll(changes: readonly Prepared[]): Promise<void> {
  for (const change of changes) await change.undo();
}
