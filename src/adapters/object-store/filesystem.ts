import { access, constants, copyFile, mkdir, open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { StorageError } from '../../domain/errors.ts';
import type { ObjectKey } from '../../domain/keys.ts';
import { type Clock, systemClock } from '../../ports/clock.ts';
import type { ListPage, ObjectInfo, ObjectStore } from '../../ports/object-store.ts';
import { createArchive } from './filesystem/archive.ts';
import { createAside } from './filesystem/aside.ts';
import { describe } from './filesystem/describe.ts';
import { classify, throwIfAborted } from './filesystem/failures.ts';
import { exists, pruneFolders, removed, sweepFolder } from './filesystem/files.ts';
import { describeAll, type FoundObject, walk } from './filesystem/list.ts';
import { objectPath, RESTORED_FOLDER, TEMPORARY_FOLDER } from './filesystem/paths.ts';
import { signGetUrl, signPostForm } from './filesystem/presign.ts';
import { bodyOf, openObject, readInfo, readTrailer } from './filesystem/read.ts';
import { encodeTrailer } from './filesystem/trailer.ts';
import { commit, syncFolder, withTemporary, writeAll, writeBody } from './filesystem/write.ts';

export { verifyGetUrl, verifyPostForm } from './filesystem/presign.ts';

export interface FilesystemObjectStoreOptions {
  /** Folder of the objects; made when it is missing. Several processes may share it. */
  readonly root: string;
  /** Flush every write and delete to the disk before it is answered; true unless said otherwise. */
  readonly fsync?: boolean;
  /** Where the HTTP service answers the signed URLs, without a trailing slash. */
  readonly publicUrl: string;
  /** At least 32 bytes. */
  readonly signingKey: Uint8Array;
  readonly clock?: Clock;
}

export interface FilesystemObjectStore extends ObjectStore {
  readonly restore: NonNullable<ObjectStore['restore']>;
  readonly signGetUrl: NonNullable<ObjectStore['signGetUrl']>;
  readonly signPostForm: NonNullable<ObjectStore['signPostForm']>;
  readonly archiveStatus: NonNullable<ObjectStore['archiveStatus']>;
}

/**
 * Objects as files: a temporary file in the same file system, flushed, then given its name in one step. Files are
 * never changed in place, so a reader keeps the object it opened whatever happens to the key.
 * Errors: INVALID_CONFIGURATION for a short signing key, and those of the port.
 */
export async function createFilesystemObjectStore(
  options: FilesystemObjectStoreOptions,
): Promise<FilesystemObjectStore> {
  const { publicUrl, signingKey, clock = systemClock, fsync = true } = options;
  if (signingKey.length < 32)
    throw new StorageError(
      'INVALID_CONFIGURATION',
      'The signing key of the object store has less than 32 bytes.',
    );
  const root = resolve(options.root);
  const temporaryFolder = join(root, TEMPORARY_FOLDER);
  for (const folder of [temporaryFolder, join(root, RESTORED_FOLDER)])
    await classified(undefined, () => mkdir(folder, { recursive: true, mode: 0o700 }));
  const archive = createArchive(root, clock);
  const aside = createAside(root, clock, fsync);
  const signer = { publicUrl, signingKey, clock };
  const pathOf = (key: ObjectKey) => objectPath(root, key);

  return {
    name: 'filesystem',
    capabilities: {
      supportsConditionalCreate: true,
      supportsConditionalRead: true,
      supportsStorageClasses: true,
      supportsArchive: true,
      supportsTags: false,
      supportsPrevious: false,
      supportsPresignedGet: true,
      supportsPresignedPost: true,
      retriesItself: false,
      takesFormsItself: false,
    },

    put(key, body, put) {
      const path = pathOf(key);
      return fromSource(body, put.signal, async () => {
        throwIfAborted(put.signal);
        if (put.ifNoneMatch && (await exists(path))) throw new StorageError('ALREADY_EXISTS');
        return withTemporary(temporaryFolder, async (temporary) => {
          const { info, trailer } = describe(key, put, clock);
          const handle = await open(temporary, 'wx', 0o600);
          try {
            await writeBody(handle, body, trailer, put.signal);
            if (fsync) await handle.datasync();
          } finally {
            await handle.close();
          }
          await commit(temporary, path, { exclusive: put.ifNoneMatch ?? false, fsync, signal: put.signal });
          return info();
        });
      });
    },

    get(key, get = {}) {
      return classified(get.signal, async () => {
        throwIfAborted(get.signal);
        const object = await openObject(pathOf(key));
        try {
          if (get.ifMatch !== undefined && get.ifMatch !== object.info.etag)
            throw new StorageError('VERSION_CONFLICT');
          await archive.assertReadable(object.info);
          return { info: object.info, body: await bodyOf(object, get) };
        } catch (error) {
          await object.handle.close();
          throw error;
        }
      });
    },

    head(key, signal) {
      return classified(signal, async () => {
        throwIfAborted(signal);
        return readInfo(pathOf(key));
      });
    },

    hide(key, signal) {
      return classified(signal, async () => {
        throwIfAborted(signal);
        const path = pathOf(key);
        if (!(await aside.take(key, path))) return;
        const left = await pruneFolders(dirname(path), root);
        if (fsync) await syncFolder(left);
      });
    },

    delete(key, signal) {
      return classified(signal, async () => {
        throwIfAborted(signal);
        await aside.remove(key);
        const path = pathOf(key);
        if (!(await removed(path))) return;
        const left = await pruneFolders(dirname(path), root);
        if (fsync) await syncFolder(left);
      });
    },

    list(prefix, { after = '', limit, signal }) {
      return classified(signal, async () => {
        const found: FoundObject[] = [];
        for await (const object of walk(root, prefix, after)) {
          throwIfAborted(signal);
          found.push(object);
          if (found.length > limit) break;
        }
        const page = found.slice(0, limit);
        const next = found.length > limit ? (page.at(-1)?.key ?? null) : null;
        return { objects: await describeAll(page), next } satisfies ListPage;
      });
    },

    copy(from, to, { storageClass, cacheControl, ifMatch, signal } = {}) {
      return classified(signal, async () => {
        throwIfAborted(signal);
        await archive.assertReadable(await readInfo(pathOf(from)));
        return withTemporary(temporaryFolder, async (temporary) => {
          // Shares the blocks where the file system can (XFS, Btrfs, APFS), copies inside the kernel elsewhere. Not a
          // hard link: the copy has a key, a class and an age of its own.
          await copyFile(pathOf(from), temporary, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
          const info = await relabel(temporary, (source) => {
            if (ifMatch !== undefined && ifMatch !== source.etag) throw new StorageError('VERSION_CONFLICT');
            return {
              ...source,
              key: to,
              storageClass: storageClass ?? source.storageClass,
              cacheControl: cacheControl ?? source.cacheControl,
              modifiedAt: clock.now(),
            };
          });
          await commit(temporary, pathOf(to), { exclusive: false, fsync, signal });
          return info;
        });
      });
    },

    restore(key, days) {
      return classified(undefined, async () => archive.restore(await readInfo(pathOf(key)), days));
    },

    archiveStatus(key, signal) {
      return classified(signal, async () => archive.status(await readInfo(pathOf(key))));
    },

    async signGetUrl(key, expiresInSeconds) {
      return signGetUrl(key, expiresInSeconds, signer);
    },

    async signPostForm(key, policy) {
      return signPostForm(key, policy, signer);
    },

    /** Also forgets restores that have ended, and what was hidden long ago. */
    sweepIncomplete(olderThanMs, { dryRun = false } = {}) {
      return classified(undefined, async () => {
        if (!dryRun) {
          await archive.sweep();
          await aside.sweep();
        }
        return sweepFolder(temporaryFolder, olderThanMs, dryRun);
      });
    },

    ping(signal) {
      return classified(signal, async () => {
        throwIfAborted(signal);
        await access(temporaryFolder, constants.R_OK | constants.W_OK);
      });
    },

    async close() {},
  };

  /** Replaces the trailer of a file that nobody else knows yet. */
  async function relabel(path: string, change: (info: ObjectInfo) => ObjectInfo): Promise<ObjectInfo> {
    const handle = await open(path, 'r+');
    try {
      const info = change((await readTrailer(handle, path)).info);
      await handle.truncate(info.bytes);
      await writeAll(handle, [encodeTrailer(info)], info.bytes);
      if (fsync) await handle.datasync();
      return info;
    } finally {
      await handle.close();
    }
  }
}

async function classified<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw classify(error, signal);
  }
}

/** A source that fails keeps its own error; whatever else fails, the source is let go. */
async function fromSource<T>(
  body: Readable | Uint8Array,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(body instanceof Readable)) throw classify(error, signal);
    const ownError = body.errored === error && signal?.aborted !== true;
    body.destroy();
    throw ownError ? error : classify(error, signal);
  }
}
