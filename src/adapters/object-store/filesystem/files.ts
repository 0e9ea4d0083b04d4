import { access, readdir, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf } from './failures.ts';

export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Removes a file; false when there was none. */
export async function removed(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Removes empty folders upwards and resolves to the lowest one left. A writer that needs one makes it again. */
export async function pruneFolders(folder: string, root: string): Promise<string> {
  if (folder === root) return folder;
  try {
    await rmdir(folder);
  } catch {
    return folder;
  }
  return pruneFolders(dirname(folder), root);
}

/** Removes files nobody has written to for `olderThanMs`; resolves to how many. A dry run counts only. */
export async function sweepFolder(folder: string, olderThanMs: number, dryRun: boolean): Promise<number> {
  let swept = 0;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    try {
      // The age of a file is the file system's, so it is compared with the system's clock.
      if ((await stat(path)).mtimeMs > Date.now() - olderThanMs) continue;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') continue;
      throw error;
    }
    if (dryRun || (await removed(path))) swept += 1;
  }
  return swept;
}
