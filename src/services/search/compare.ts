import { setTimeout as pause } from 'node:timers/promises';
import { createHash } from 'node:crypto';
import { listPhotoFacts, readPhotoFacts } from '../../db/search-documents.ts';
import { documentHash, type PhotoDocument } from '../../domain/photo-document.ts';
import { documentOf } from './documents.ts';
import { currentEntries, type FeedDeps } from './feed.ts';

/** Where index and rows say something else of a photo. */
export interface Difference {
  readonly id: string;
  /** `missing`: the index has no document; `surplus`: the rows have none; `differs`: both have one. */
  readonly kind: 'missing' | 'surplus' | 'differs';
}

export interface ComparedPage {
  /** The greatest id that was compared; null when there was nothing left. */
  readonly last: string | null;
  /** Documents that are the same on both sides. */
  readonly same: number;
  readonly differences: readonly Difference[];
  /** Of both, in hex: hash of the hash before and of all documents of the page that are the same. */
  readonly hash: string;
}

/** Compares the documents of the next photos after an id, `limit` of each side at most. */
export async function comparePage(
  { db, index, readColors }: FeedDeps,
  name: string,
  page: { readonly after: string | null; readonly limit: number; readonly hash: string },
): Promise<ComparedPage> {
  const [documents, facts] = await Promise.all([index.list(name, page), listPhotoFacts(db, page)]);
  const ends = [documents, facts].flatMap((side) =>
    side.length < page.limit ? [] : [side.at(-1)?.id ?? ''],
  );
  // Behind the end of a full page the other side may have what this one has not shown yet.
  const end = ends.toSorted()[0] ?? null;
  const isWithin = ({ id }: { readonly id: string }) => end === null || id <= end;
  const stored = byId(documents.filter(isWithin));
  const rows = byId(facts.filter(isWithin).flatMap((row) => documentOf(row, readColors) ?? []));
  const ids = [...new Set([...stored.keys(), ...rows.keys()])].toSorted();
  const hash = createHash('sha256').update(page.hash);
  const differences: Difference[] = [];
  for (const id of ids) {
    const kind = differenceOf(stored.get(id), rows.get(id));
    if (kind === null) hash.update(documentHashOf(stored.get(id)));
    else differences.push({ id, kind });
  }
  return {
    last: end ?? ids.at(-1) ?? null,
    same: ids.length - differences.length,
    differences,
    hash: hash.digest('hex'),
  };
}

/** Looks again at photos that differed: most are about to be written by the feed. */
export async function stillDifferent(
  { db, index, readColors }: FeedDeps,
  name: string,
  differences: readonly Difference[],
): Promise<Difference[]> {
  const ids = differences.map(({ id }) => id);
  await index.refresh(name);
  const stored = byId(await index.get(name, ids));
  const rows = byId((await readPhotoFacts(db, ids)).flatMap((row) => documentOf(row, readColors) ?? []));
  return ids.flatMap((id) => {
    const kind = differenceOf(stored.get(id), rows.get(id));
    return kind === null ? [] : [{ id, kind }];
  });
}

const TRIES = 10;
const PAUSE_MS = 300;

/** Writes photos that differ as their rows have them, until they are the same. Resolves to those that never are. */
export async function mend(
  deps: FeedDeps,
  name: string,
  differences: readonly Difference[],
): Promise<readonly Difference[]> {
  let left: readonly Difference[] = differences;
  for (let tries = 0; left.length > 0 && tries < TRIES; tries += 1) {
    if (tries > 0) await pause(PAUSE_MS);
    await deps.index.write(
      name,
      await currentEntries(
        deps,
        left.map(({ id }) => id),
      ),
    );
    left = await stillDifferent(deps, name, left);
  }
  return left;
}

function byId(documents: readonly PhotoDocument[]): Map<string, PhotoDocument> {
  return new Map(documents.map((document) => [document.id, document]));
}

function differenceOf(
  stored: PhotoDocument | undefined,
  row: PhotoDocument | undefined,
): Difference['kind'] | null {
  if (stored === undefined) return row === undefined ? null : 'missing';
  if (row === undefined) return 'surplus';
  return documentHash(stored) === documentHash(row) ? null : 'differs';
}

function documentHashOf(document: PhotoDocument | undefined): string {
  return document === undefined ? '' : documentHash(document);
}
