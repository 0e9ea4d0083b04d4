import type { Database } from '../../db/schema.ts';
import { readPhotoFacts } from '../../db/search-documents.ts';
import {
  type ChangedPhoto,
  forgetChanges,
  listChanges,
  nextSearchVersion,
  putChangesAside,
} from '../../db/search-outbox.ts';
import { isStorageError } from '../../domain/errors.ts';
import type { Log } from '../../ports/log.ts';
import type { IndexEntry, PhotoIndex, Written } from '../../ports/search.ts';
import { documentOf, type ReadColors } from './documents.ts';

export interface FeedDeps {
  readonly db: Database;
  readonly index: PhotoIndex;
  readonly readColors: ReadColors;
  readonly log: Log;
}

/** Rows of the list of changes that are written at one time. */
const BATCH = 500;
/** What an engine refuses is kept for somebody to look at it, and tried again now and then. */
const REFUSED_SECONDS = 300;

/**
 * Writes photos that have changed to all indexes, one batch. Resolves to how many rows of the list it took: less than there
 * are when it is to be called again. It may run in several processes, die at any line and come late: rows leave the list once
 * their photos are in every index, and what was read later wins (`nextSearchVersion`). While the search is down it fails, and
 * everything waits.
 */
export async function feedSearch(deps: FeedDeps): Promise<number> {
  const changes = await listChanges(deps.db, BATCH);
  if (changes.length === 0) return 0;
  const entries = await currentEntries(
    deps,
    changes.map(({ fileId }) => fileId),
  );
  // Named after the changes were read: an index that is not here yet is filled from rows that have them.
  const refusals = new Map<string, string>();
  for (const name of await deps.index.indexes())
    for (const { id, reason } of (await writeTo(deps.index, name, entries)).refused) refusals.set(id, reason);
  await settle(deps, changes, refusals);
  return changes.reduce((sum, { rows }) => sum + rows.length, 0);
}

/** What stands in the rows of these photos now, with a version that says so. */
export async function currentEntries(
  deps: Pick<FeedDeps, 'db' | 'readColors'>,
  fileIds: readonly string[],
): Promise<IndexEntry[]> {
  // The version first: see `nextSearchVersion`.
  const version = await nextSearchVersion(deps.db);
  const facts = new Map((await readPhotoFacts(deps.db, fileIds)).map((row) => [row.id, row]));
  return fileIds.map((id) => {
    const row = facts.get(id);
    return { id, version, document: row === undefined ? null : documentOf(row, deps.readColors) };
  });
}

/** An index that was removed meanwhile needs nothing any more. */
async function writeTo(index: PhotoIndex, name: string, entries: readonly IndexEntry[]): Promise<Written> {
  try {
    return await index.write(name, entries);
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND') && !(await index.indexes()).includes(name))
      return { outdated: 0, refused: [] };
    throw error;
  }
}

async function settle(
  deps: FeedDeps,
  changes: readonly ChangedPhoto[],
  refusals: ReadonlyMap<string, string>,
): Promise<void> {
  for (const { fileId, rows } of changes) {
    const reason = refusals.get(fileId);
    if (reason === undefined) continue;
    deps.log.error({ fileId, reason }, 'the search engine refuses the document of a photo');
    await putChangesAside(deps.db, rows, reason, REFUSED_SECONDS);
  }
  await forgetChanges(
    deps.db,
    changes.filter(({ fileId }) => !refusals.has(fileId)).flatMap(({ rows }) => rows),
  );
}
