import { covers } from '#src/domain/cdn-paths.ts';
import type { PendingPurge } from '#src/ports/purge-ledger.ts';
import { PRICE_PER_PATH, PRICE_PER_REFILL, REGIONAL_CACHES } from './limits.ts';

/** How much more may be in progress. */
export interface Room {
  readonly paths: number;
  readonly wildcards: number;
}

export interface PurgePlan {
  /** Paths to send, each once, wildcards first. */
  readonly paths: readonly string[];
  /** The pending purges that they cover. */
  readonly pending: readonly number[];
}

/** Objects that a folder of one listing may hold beside those that are purged: 30 photos in two formats. */
const FOLDER_OBJECTS = 60;
/** US dollars, when all of them are fetched again everywhere. */
const REFILLS_PRICE = FOLDER_OBJECTS * REGIONAL_CACHES * PRICE_PER_REFILL;

/**
 * What to purge in the next call. Duplicates go, and so does what a wildcard covers anyway. Paths that differ only in
 * their extension become one `….*`, several of those in one folder of a listing become `folder/*`, because that is
 * cheaper: a path costs as much as 12,500 reads of S3. Where no wildcard is free any more, paths go one by one at once:
 * what was taken down does not wait to save money. What finds no room at all waits. Null when nothing can go.
 */
export function planPurge(pending: readonly PendingPurge[], room: Room): PurgePlan | null {
  const asked = new Set(pending.map(({ path }) => path));
  const wildcards = [...asked].filter(isWildcard).slice(0, Math.max(0, room.wildcards));
  const single = [...asked].filter(
    (path) => !isWildcard(path) && !wildcards.some((one) => covers(one, path)),
  );
  wildcards.push(...cheaper(single).slice(0, Math.max(0, room.wildcards - wildcards.length)));
  const rest = single.filter((path) => !wildcards.some((one) => covers(one, path)));
  const paths = [...wildcards, ...rest.slice(0, Math.max(0, room.paths))];
  if (paths.length === 0) return null;
  const sent = new Set(paths);
  const covered = pending.filter(({ path }) => sent.has(path) || wildcards.some((one) => covers(one, path)));
  return { paths, pending: covered.map(({ id }) => id) };
}

export function isWildcard(path: string): boolean {
  return path.endsWith('*');
}

/** Wildcards that cost less than the paths they stand for, those that save most first. */
function cheaper(paths: readonly string[]): string[] {
  const candidates: { wildcard: string; saves: number }[] = [];
  const propose = (beginning: string, members: readonly string[]) => {
    if (members.length > 1) candidates.push({ wildcard: `${beginning}*`, saves: members.length - 1 });
  };
  const folders = groupsOf(paths, folderOf);
  for (const [folder, inside] of folders) {
    const stems = groupsOf(inside, stemOf);
    if ((stems.size - 1) * PRICE_PER_PATH > REFILLS_PRICE) propose(folder, inside);
    else for (const [stem, members] of stems) propose(stem, members);
  }
  const elsewhere = paths.filter((path) => folderOf(path) === null);
  for (const [stem, members] of groupsOf(elsewhere, stemOf)) propose(stem, members);
  return candidates.toSorted((a, b) => b.saves - a.saves).map(({ wildcard }) => wildcard);
}

/** `items/large/bike/…-….` of all formats of one rendition; null for other paths. */
function stemOf(path: string): string | null {
  return /^((?:items|profiles|quarantine\/view)\/.+\.)[a-z]+$/.exec(path)?.[1] ?? null;
}

/** `items/large/bike/`: the renditions of one size of one listing or user. */
function folderOf(path: string): string | null {
  return /^((?:items|profiles)\/[a-z]+\/[^/]+\/)[^/]+\.[a-z]+$/.exec(path)?.[1] ?? null;
}

function groupsOf(
  paths: readonly string[],
  nameOf: (path: string) => string | null,
): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const path of paths) {
    const name = nameOf(path);
    if (name === null) continue;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [path]);
    else group.push(path);
  }
  return groups;
}
