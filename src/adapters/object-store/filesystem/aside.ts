import { hash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectKey } from '../../../domain/keys.ts';
import { RETENTION } from '../../../domain/retention.ts';
import type { Clock } from '../../../ports/clock.ts';
import { errnoOf } from './failures.ts';
import { ASIDE_FOLDER } from './paths.ts';
import { syncFolder } from './write.ts';

const KEPT_MS = RETENTION['old-versions'].days * 86_400_000;

/**
 * Objects that were hidden, as a bucket keeps what a delete marker hides: each in a folder of its key, named by when that
 * was, for as long as a bucket keeps old versions. Nothing reads or lists them; a person finds them by the key within.
 */
export interface Aside {
  /** Moves the file of an object here in one step. False when there is none. */
  take(key: ObjectKey, path: string): Promise<boolean>;
  /** Removes all that was hidden of a key. */
  remove(key: ObjectKey): Promise<void>;
  /** Removes what has been here for long. */
  sweep(): Promise<void>;
}

export function createAside(root: string, clock: Clock, fsync: boolean): Aside {
  const top = join(root, ASIDE_FOLDER);
  const folderFor = (key: ObjectKey) => join(top, hash('sha256', key));

  return {
    async take(key, path) {
      const folder = folderFor(key);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      try {
        await rename(path, join(folder, `${clock.now().getTime()}-${randomUUID()}`));
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error;
        await dropEmpty(folder);
        return false;
      }
      if (fsync) for (const changed of [folder, top, root]) await syncFolder(changed);
      return true;
    },

    async remove(key) {
      await rm(folderFor(key), { recursive: true, force: true });
    },

    async sweep() {
      const before = clock.now().getTime() - KEPT_MS;
      for (const name of await namesIn(top)) {
        const folder = join(top, name);
        for (const file of await namesIn(folder))
          if (Number(file.split('-', 1)[0]) < before) await rm(join(folder, file), { force: true });
        await dropEmpty(folder);
      }
    },
  };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

async function dropEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    const code = errnoOf(error);
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
  }
}
