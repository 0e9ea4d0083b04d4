import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isStorageError } from '../../../domain/errors.ts';
import { type ObjectKey, objectKey } from '../../../domain/keys.ts';
import type { ObjectInfo } from '../../../ports/object-store.ts';
import { errnoOf } from './failures.ts';
import { decodeSegment, FOLDER_MARK, folderOf, SLICE_MARK } from './paths.ts';
import { readInfo } from './read.ts';

/** How many files a listing has open at once. */
const LIST_CONCURRENCY = 16;

export interface FoundObject {
  readonly key: ObjectKey;
  readonly path: string;
}

/** Objects whose key begins with `prefix` and is greater than `after`, in ascending byte order of their keys. */
export async function* walk(root: string, prefix: string, after: string): AsyncGenerator<FoundObject> {
  const segments = prefix.split('/').slice(0, -1);
  yield* walkFolder(
    folderOf(root, segments),
    segments.map((segment) => `${segment}/`).join(''),
    prefix,
    after,
  );
}

async function* walkFolder(
  folder: string,
  keyOfFolder: string,
  prefix: string,
  after: string,
): AsyncGenerator<FoundObject> {
  for (const entry of await entriesOf(folder)) {
    const key = keyOfFolder + entry.name;
    if (!key.startsWith(prefix) && !prefix.startsWith(key)) continue;
    if (entry.isFolder) {
      // All its keys begin with `key`, so they are all passed when `after` is greater and does not begin so.
      if (key > after || after.startsWith(key)) yield* walkFolder(entry.path, key, prefix, after);
    } else if (key > after && key.startsWith(prefix)) {
      yield { key: objectKey(key), path: entry.path };
    }
  }
}

interface Entry {
  /** Of a folder with its "/": sorted by these names, whole keys are sorted too, also where "-" and "." precede "/". */
  readonly name: string;
  readonly path: string;
  readonly isFolder: boolean;
}

async function entriesOf(folder: string): Promise<Entry[]> {
  const entries = await unsortedEntries(folder, '');
  return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Slices of long names are read as if their parts lay in this folder. */
async function unsortedEntries(folder: string, begun: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const file of await namesIn(folder)) {
    const path = join(folder, file);
    const mark = file.at(-1);
    const encoded = begun + (mark === FOLDER_MARK || mark === SLICE_MARK ? file.slice(0, -1) : file);
    if (mark === SLICE_MARK) {
      entries.push(...(await unsortedEntries(path, encoded)));
      continue;
    }
    const segment = decodeSegment(encoded);
    const isFolder = mark === FOLDER_MARK;
    if (segment !== null) entries.push({ name: isFolder ? `${segment}/` : segment, path, isFolder });
  }
  return entries;
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

/** Leaves out what was deleted since, and files too damaged to say what they are; reading those says so. */
export async function describeAll(found: readonly FoundObject[]): Promise<ObjectInfo[]> {
  const infos: (ObjectInfo | null)[] = [];
  for (let at = 0; at < found.length; at += LIST_CONCURRENCY)
    infos.push(
      ...(await Promise.all(found.slice(at, at + LIST_CONCURRENCY).map(({ path }) => infoOrNull(path)))),
    );
  return infos.filter((info) => info !== null);
}

async function infoOrNull(path: string): Promise<ObjectInfo | null> {
  try {
    return await readInfo(path);
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND') || isStorageError(error, 'OBJECT_DAMAGED')) return null;
    throw error;
  }
}
