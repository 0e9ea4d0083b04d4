import { hash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { StorageError } from '../../../domain/errors.ts';
import type { ObjectKey } from '../../../domain/keys.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { ArchiveStatus, ObjectInfo, StorageClass } from '../../../ports/object-store.ts';
import { errnoOf } from './failures.ts';
import { RESTORED_FOLDER, TEMPORARY_FOLDER } from './paths.ts';
import { commit, withTemporary } from './write.ts';

/**
 * S3's archive: an object of these classes is listed and described, but read only while it is restored. S3 takes
 * hours to restore; this store does it at once. The note of a restore lies beside the objects and names the etag
 * it was made for: it changes no object, and means nothing for a later one under the same key.
 */
const ARCHIVED: readonly StorageClass[] = ['GLACIER', 'DEEP_ARCHIVE'];
const DAY_MS = 24 * 60 * 60 * 1000;

export interface Archive {
  status(info: ObjectInfo): Promise<ArchiveStatus>;
  /** Errors: OBJECT_ARCHIVED. */
  assertReadable(info: ObjectInfo): Promise<void>;
  /** Errors: CONFLICT when the object is not archived, INVALID_REQUEST for less than a day. */
  restore(info: ObjectInfo, days: number): Promise<void>;
  /** Removes the notes of restores that have ended. */
  sweep(): Promise<void>;
}

export function createArchive(root: string, clock: Clock): Archive {
  const folder = join(root, RESTORED_FOLDER);
  const noteOf = (key: ObjectKey) => join(folder, hash('sha256', key));
  const isOver = (note: Note) => note.until <= clock.now().getTime();

  async function status(info: ObjectInfo): Promise<ArchiveStatus> {
    if (!ARCHIVED.includes(info.storageClass)) return 'none';
    const note = await readNote(noteOf(info.key));
    return note === null || note.etag !== info.etag || isOver(note) ? 'archived' : 'restored';
  }

  return {
    status,
    async assertReadable(info) {
      if ((await status(info)) === 'archived') throw new StorageError('OBJECT_ARCHIVED');
    },

    async restore(info, days) {
      if (!Number.isInteger(days) || days < 1)
        throw new StorageError('INVALID_REQUEST', 'An object is restored for one day or more.');
      if (!ARCHIVED.includes(info.storageClass))
        throw new StorageError('CONFLICT', 'The object is not archived.');
      const note: Note = { etag: info.etag, until: clock.now().getTime() + days * DAY_MS };
      await withTemporary(join(root, TEMPORARY_FOLDER), async (temporary) => {
        await writeFile(temporary, JSON.stringify(note), { flag: 'wx', mode: 0o600, flush: true });
        await commit(temporary, noteOf(info.key), { exclusive: false, fsync: false, signal: undefined });
      });
    },

    async sweep() {
      for (const name of await readdir(folder)) {
        const note = await readNote(join(folder, name));
        if (note !== null && isOver(note)) await rm(join(folder, name), { force: true });
      }
    },
  };
}

const noteSchema = z.object({ etag: z.string(), until: z.int() });
type Note = z.infer<typeof noteSchema>;

async function readNote(path: string): Promise<Note | null> {
  try {
    return noteSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}
