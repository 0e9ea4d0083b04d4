import { isStorageError, StorageError } from '../domain/errors.ts';
import { isRowNamed, keyPrefix, type ObjectKey, objectKey } from '../domain/keys.ts';
import type { ListPage, ObjectInfo, ObjectStore } from '../ports/object-store.ts';
import { DEFAULT_RETRY, type RetryPolicy, type Sleep, systemSleep } from './retry.ts';
import { cacheControlOf } from './storage/caching.ts';
import { createCall, type Retry } from './storage/calls.ts';
import { downloadFrom } from './storage/download.ts';
import { createFailOver, deleteFrom, type Replica } from './storage/fail-over.ts';
import { assertTags } from './storage/tags.ts';
import type { CopyOptions, Measurement, StorageService } from './storage/types.ts';
import { uploadTo } from './storage/upload.ts';

export type * from './storage/types.ts';

export interface StorageServiceOptions {
  readonly store: ObjectStore;
  /** A copy in another region: answers reads of what is live that the primary cannot, and follows deletes. */
  readonly replica?: Replica;
  readonly retry?: RetryPolicy;
  /** Uniform in [0, 1); spreads the waits. */
  readonly random?: () => number;
  readonly sleep?: Sleep;
  readonly onMeasure?: (measurement: Measurement) => void;
}

/** Seven days: what S3's Signature Version 4 allows at most. */
export const MAX_EXPIRATION_SECONDS = 604_800;
/** S3's ListObjectsV2 answers at most this many. */
const MAX_PAGE_SIZE = 1_000;

export function createStorageService(options: StorageServiceOptions): StorageService {
  const {
    store,
    replica,
    retry: policy = DEFAULT_RETRY,
    random = Math.random,
    sleep = systemSleep,
  } = options;
  const call = createCall({
    policy: () => (store.capabilities.retriesItself ? { ...policy, attempts: 1 } : policy),
    random,
    sleep,
    onMeasure: options.onMeasure,
  });
  const stores = { primary: store, replica };
  const readAnywhere = createFailOver(stores);
  const readPrimary = createFailOver({ primary: store, replica: undefined });
  /**
   * A replica answers only for what rows name, since they alone tell what it lacks, or should have no more: of uploads on
   * their way and of the audit ledger's anchors no row says anything, and an outage is an outage.
   */
  const readFrom = (key: string) => (isRowNamed(key) ? readAnywhere : readPrimary);

  function copy(from: ObjectKey, to: ObjectKey, how: CopyOptions, retry: Retry): Promise<ObjectInfo> {
    // Another place, other readers: what caches may do follows from the key.
    const cacheControl = from === to ? {} : { cacheControl: cacheControlOf(to) };
    return retry(() => store.copy(from, to, { ...how, ...cacheControl }));
  }

  /** After a whole move the source is gone and the destination has its etag; without one to compare, it is missing. */
  async function moved(
    to: ObjectKey,
    { ifMatch, signal }: CopyOptions,
    retry: Retry,
  ): Promise<ObjectInfo | null> {
    if (ifMatch === undefined) return null;
    const info = await retry(() => store.head(to, signal));
    return info.etag === ifMatch ? info : null;
  }

  return {
    get takesFormsItself() {
      return store.capabilities.takesFormsItself;
    },

    uploadFile: (file, metadata) =>
      call('upload', metadata.signal, (retry) => uploadTo(store, file, metadata, retry)),

    downloadFile: (key, get = {}) =>
      call('download', get.signal, (retry) =>
        downloadFrom(readFrom(key), objectKey(key), get, { retry, maxResumptions: policy.attempts }),
      ),

    fileInfo: (key, signal) =>
      call('info', signal, async (retry) => {
        const checked = objectKey(key);
        const { value } = await readFrom(key)(checked, retry, (from) => from.head(checked, signal));
        return value;
      }),

    primaryInfo: (key, signal) =>
      call('info', signal, async (retry) => {
        const checked = objectKey(key);
        return retry(() => store.head(checked, signal));
      }),

    hideFile: (key, signal) =>
      call('hide', signal, async (retry) => {
        const checked = objectKey(key);
        await retry(() => store.hide(checked, signal));
      }),

    deleteFile: (key, signal) =>
      call('delete', signal, (retry) => deleteFrom(stores, objectKey(key), retry, signal)),

    getSignedUrl: (key, expiration) =>
      call('sign-get', undefined, async () => {
        const checked = objectKey(key);
        assertExpiration(expiration);
        if (!store.capabilities.supportsPresignedGet || store.signGetUrl === undefined)
          throw new StorageError('UNSUPPORTED');
        return store.signGetUrl(checked, expiration);
      }),

    getUploadForm: (key, form) =>
      call('sign-post', undefined, async () => {
        const checked = objectKey(key);
        assertExpiration(form.expiresInSeconds);
        if (!Number.isInteger(form.maxBytes) || form.maxBytes < 1)
          throw new StorageError('INVALID_REQUEST', 'An upload form allows one byte or more.');
        if (!store.capabilities.supportsPresignedPost || store.signPostForm === undefined)
          throw new StorageError('UNSUPPORTED');
        return store.signPostForm(checked, form);
      }),

    listFiles(prefix, { pageSize = MAX_PAGE_SIZE, after: first, signal } = {}) {
      const checked = keyPrefix(prefix);
      if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > MAX_PAGE_SIZE)
        throw new StorageError('INVALID_REQUEST', `A page has 1 to ${MAX_PAGE_SIZE} files.`);
      const page = (after?: string): Promise<ListPage> =>
        call('list', signal, async (retry) => {
          const asked = { limit: pageSize, ...(after !== undefined && { after }), ...(signal && { signal }) };
          // Not from the replica: what a listing lacks cannot be told from what is gone.
          return retry(() => store.list(checked, asked));
        });
      return {
        page: () => page(first),
        async *[Symbol.asyncIterator]() {
          let after: string | null | undefined = first;
          while (after !== null) {
            const { objects, next }: ListPage = await page(after);
            yield* objects;
            after = next;
          }
        },
      };
    },

    copyFile: (source, destination, how = {}) =>
      call('copy', how.signal, async (retry) => {
        if (source === destination && how.storageClass === undefined)
          throw new StorageError(
            'INVALID_REQUEST',
            'A file is copied onto itself only to change its storage class.',
          );
        return copy(objectKey(source), objectKey(destination), how, retry);
      }),

    moveFile: (source, destination, how = {}) =>
      call('move', how.signal, async (retry) => {
        const from = objectKey(source);
        const to = objectKey(destination);
        if (from === to) throw new StorageError('INVALID_REQUEST', 'A file cannot be moved onto itself.');
        const info = await orIfMissing(
          () => copy(from, to, how, retry),
          () => moved(to, how, retry),
        );
        await deleteFrom(stores, from, retry, how.signal);
        return info;
      }),

    restoreFile: (key, days) =>
      call('restore', undefined, async (retry) => {
        const checked = objectKey(key);
        await retry(async () => {
          if (!store.capabilities.supportsArchive || store.restore === undefined)
            throw new StorageError('UNSUPPORTED');
          await store.restore(checked, days);
        });
      }),

    archiveStatus: (key, signal) =>
      call('archive-status', signal, async (retry) => {
        const checked = objectKey(key);
        return retry(async () => {
          if (!store.capabilities.supportsArchive || store.archiveStatus === undefined)
            throw new StorageError('UNSUPPORTED');
          return store.archiveStatus(checked, signal);
        });
      }),

    fileTags: (key, signal) =>
      call('get-tags', signal, async (retry) => {
        const checked = objectKey(key);
        return retry(async () => {
          if (!store.capabilities.supportsTags || store.getTags === undefined)
            throw new StorageError('UNSUPPORTED');
          return store.getTags(checked, signal);
        });
      }),

    tagFile: (key, tags, signal) =>
      call('set-tags', signal, async (retry) => {
        const checked = objectKey(key);
        assertTags(tags);
        await retry(async () => {
          if (!store.capabilities.supportsTags || store.setTags === undefined)
            throw new StorageError('UNSUPPORTED');
          await store.setTags(checked, tags, signal);
        });
      }),

    ping: (signal) => call('ping', signal, () => store.ping(signal)),
  };
}

function assertExpiration(seconds: number): void {
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_EXPIRATION_SECONDS)
    throw new StorageError('INVALID_REQUEST', `A signed link lasts 1 to ${MAX_EXPIRATION_SECONDS} seconds.`);
}

async function orIfMissing<T>(work: () => Promise<T>, otherwise: () => Promise<T | null>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isStorageError(error, 'NOT_FOUND')) throw error;
    const found = await otherwise();
    if (found === null) throw error;
    return found;
  }
}
