import { setTimeout as pause } from 'node:timers/promises';
import { listPhotoFacts, readPhotoFacts } from '../../db/search-documents.ts';
import { documentHash, type PhotoDocument } from '../../domain/photo-document.ts';
import { documentOf } from './documents.ts';
import { currentEntries, type FeedDeps } from './feed.ts';

/** Where index and rows say something else of a photo. */
export interface Difference {
  readonly id: string;
  /** `missing`: the index has no document; `surplus`: the rows have none; `differs`: both have one. */
  readonly kind: 'missing' | 'surplus' | 'differs';
  /** Of the document that the rows have. */
  readonly hash: string;
}

export interface ComparedPage {
  /** The greatest id that was compared; null when there was nothing left. */
  readonly last: string | null;
  /** Documents that are the same on both sides. */
  readonly same: number;
  readonly differences: readonly Difference[];
  /** The hash that was given, with all documents of the page that are the same. */
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
  const differences = differencesOf(ids, stored, rows);
  const isDifferent = new Set(differences.map(({ id }) => id));
  const same = ids.filter((id) => !isDifferent.has(id));
  return {
    last: end ?? ids.at(-1) ?? null,
    same: same.length,
    differences,
    hash: withHashes(
      page.hash,
      same.map((id) => hashOf(rows.get(id))),
    ),
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
  return differencesOf(ids, stored, rows);
}

/** Of no document at all. */
export const EMPTY_HASH = '0'.repeat(64);

/** A hash of many documents, whatever their order and wherever a run was interrupted: exclusive or of their own. */
export function withHashes(hash: string, more: readonly string[]): string {
  const sum = more.reduce((left, right) => left ^ BigInt(`0x${right}`), BigInt(`0x${hash}`));
  return sum.toString(16).padStart(64, '0');
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

function differencesOf(
  ids: readonly string[],
  stored: ReadonlyMap<string, PhotoDocument>,
  rows: ReadonlyMap<string, PhotoDocument>,
): Difference[] {
  return ids.flatMap((id) => {
    const [ours, theirs] = [stored.get(id), rows.get(id)];
    const hash = hashOf(theirs);
    if (hashOf(ours) === hash) return [];
    return [
      { id, kind: ours === undefined ? 'missing' : theirs === undefined ? 'surplus' : 'differs', hash },
    ];
  });
}

function hashOf(document: PhotoDocument | undefined): string {
  return document === undefined ? EMPTY_HASH : documentHash(document);
}
