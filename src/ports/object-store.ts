import type { Readable } from 'node:stream';
import type { ObjectKey } from '../domain/keys.ts';
import type { StorageClass } from '../domain/storage-class.ts';

export { STORAGE_CLASSES, type StorageClass } from '../domain/storage-class.ts';

/** What a driver can do. A capability that configuration needs and the driver lacks is an error at start-up. */
export interface ObjectStoreCapabilities {
  /** `put` with `ifNoneMatch` lets exactly one of many writers win. */
  readonly supportsConditionalCreate: boolean;
  /** `get` with `ifMatch` fails with VERSION_CONFLICT once the object is another. */
  readonly supportsConditionalRead: boolean;
  /** Objects have a storage class, which `put` and `copy` give. */
  readonly supportsStorageClasses: boolean;
  /** Objects of GLACIER and DEEP_ARCHIVE answer OBJECT_ARCHIVED until they are restored. */
  readonly supportsArchive: boolean;
  /** Objects have tags, which are changed without a change of the object. */
  readonly supportsTags: boolean;
  /** What is overwritten or deleted behind the driver's back is kept for some time; `delete` itself removes all of it. */
  readonly supportsPrevious: boolean;
  /** `signGetUrl` makes a URL that the store itself answers. */
  readonly supportsPresignedGet: boolean;
  /** `signPostForm` makes a form that a browser posts to the store itself. */
  readonly supportsPresignedPost: boolean;
  /**
   * The driver repeats its own requests, a part or a page at a time, and waits as the server asks. `StorageService` then
   * makes each call once: two loops, one around the other, would multiply the calls to a store in trouble.
   */
  readonly retriesItself: boolean;
  /** Such a form goes past this service: it may be sent again, and nobody tells us what it brought. */
  readonly takesFormsItself: boolean;
}

/** What a listing tells of an object: S3 lists neither type nor metadata. */
export interface ListedObject {
  readonly key: ObjectKey;
  readonly bytes: number;
  /** Opaque, without quotes; another content has another one. */
  readonly etag: string;
  readonly storageClass: StorageClass;
  readonly modifiedAt: Date;
}

export interface ObjectInfo extends ListedObject {
  readonly contentType: string;
  readonly cacheControl: string | null;
  /** User metadata: keys in lower case, values any text. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Names and values, at most ten (S3's limit) and of at most 128 and 256 characters. */
export type ObjectTags = Readonly<Record<string, string>>;

/** Where an object of an archive class (GLACIER, DEEP_ARCHIVE) stands; objects of other classes are `none`. */
export type ArchiveStatus = 'none' | 'archived' | 'restoring' | 'restored';

export interface PutOptions {
  readonly contentType: string;
  readonly cacheControl?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly storageClass?: StorageClass;
  /** Only with `supportsTags`. */
  readonly tags?: ObjectTags;
  /** Length in bytes where it is known. */
  readonly contentLength?: number;
  /** SHA-256 of the body in 64 hex digits, for drivers that would compute it; empty until the body has been read whole. */
  readonly sha256?: () => string;
  /** Create only: ALREADY_EXISTS when the key is taken. */
  readonly ifNoneMatch?: boolean;
  readonly signal?: AbortSignal;
}

export interface GetOptions {
  /** Inclusive bounds, as in HTTP. `end` past the object is cut; a `start` past it is RANGE_NOT_SATISFIABLE. */
  readonly range?: { readonly start: number; readonly end?: number };
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
}

export interface ListPage {
  readonly objects: readonly ListedObject[];
  /** Pass it as `after` for the next page; null on the last one. */
  readonly next: string | null;
}

/** A form that a browser posts with the file as its last field. */
export interface PresignedPost {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * Thin drivers: I/O only. `StorageService` validates keys, retries, measures and hashes for all of them.
 * Every driver passes `test/contracts/object-store.contract.ts`. Errors are StorageErrors, classified once by the
 * driver: NOT_FOUND, ALREADY_EXISTS, VERSION_CONFLICT, RANGE_NOT_SATISFIABLE, OBJECT_ARCHIVED, OBJECT_DAMAGED (what is
 * there is not what was written, by the store's own account), STORAGE_FULL, STORAGE_UNAVAILABLE, ABORTED.
 */
export interface ObjectStore {
  readonly name: string;
  readonly capabilities: ObjectStoreCapabilities;
  /**
   * Streams an object in. Visible whole or not at all: a failing or aborted source leaves what was there before.
   * Resolves when it is durable.
   */
  put(key: ObjectKey, body: Readable | Uint8Array, options: PutOptions): Promise<ObjectInfo>;
  /** The stream must be consumed or destroyed by the caller. */
  get(key: ObjectKey, options?: GetOptions): Promise<{ info: ObjectInfo; body: Readable }>;
  head(key: ObjectKey, signal?: AbortSignal): Promise<ObjectInfo>;
  /**
   * Takes an object out of reads and listings and destroys nothing that the store can keep: no earlier content ever, and
   * the present one only where the store keeps none (a bucket without versions). A missing object is a success.
   * Errors: CONFLICT when the store could not do it without destroying an earlier content.
   */
  hide(key: ObjectKey, signal?: AbortSignal): Promise<void>;
  /** Every version of it, where the store keeps versions, and what was hidden. A missing object is a success. */
  delete(key: ObjectKey, signal?: AbortSignal): Promise<void>;
  /** Keys in ascending byte order, at most `limit` (1 to 1,000) a page. */
  list(prefix: string, options: { after?: string; limit: number; signal?: AbortSignal }): Promise<ListPage>;
  /**
   * Copies bytes, type, metadata and tags inside the store; caching and class too, unless others are given.
   * VERSION_CONFLICT when the source is another than `ifMatch`.
   */
  copy(
    from: ObjectKey,
    to: ObjectKey,
    options?: { storageClass?: StorageClass; cacheControl?: string; ifMatch?: string; signal?: AbortSignal },
  ): Promise<ObjectInfo>;
  /** Only with `supportsArchive`. Asked again while it is under way it is a success. Errors: NOT_FOUND, CONFLICT. */
  restore?(key: ObjectKey, days: number): Promise<void>;
  /** Only with `supportsArchive`. Errors: NOT_FOUND. */
  archiveStatus?(key: ObjectKey, signal?: AbortSignal): Promise<ArchiveStatus>;
  /** Only with `supportsTags`. Errors: NOT_FOUND. */
  getTags?(key: ObjectKey, signal?: AbortSignal): Promise<ObjectTags>;
  /** Replaces all tags. Only with `supportsTags`. Errors: NOT_FOUND, INVALID_REQUEST. */
  setTags?(key: ObjectKey, tags: ObjectTags, signal?: AbortSignal): Promise<void>;
  /**
   * Contents that the key had before the present one, the newest first; all of them, as long as the caller goes on. Those
   * that are archived cannot be read: OBJECT_ARCHIVED after all others. Only with `supportsPrevious`.
   */
  previous?(key: ObjectKey, signal?: AbortSignal): AsyncIterable<Readable>;
  /** Only with `supportsPresignedGet`. */
  signGetUrl?(key: ObjectKey, expiresInSeconds: number): Promise<string>;
  /** Only with `supportsPresignedPost`. Accepts exactly this key and type, 1 to `maxBytes` bytes. */
  signPostForm?(
    key: ObjectKey,
    policy: { contentType: string; maxBytes: number; expiresInSeconds: number },
  ): Promise<PresignedPost>;
  /**
   * Removes what uploads that died half-way left behind and nobody has written to for `olderThanMs`: temporary files,
   * unfinished multipart uploads. Resolves to how many. With `dryRun` it counts them, and leaves them.
   */
  sweepIncomplete(olderThanMs: number, options?: { readonly dryRun?: boolean }): Promise<number>;
  /** Cheap call that fails when the store cannot be used. */
  ping(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
