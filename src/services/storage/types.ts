import type { Readable } from 'node:stream';
import type { ErrorCode } from '../../domain/errors.ts';
import type {
  ArchiveStatus,
  ListedObject,
  ListPage,
  ObjectInfo,
  ObjectTags,
  PresignedPost,
  StorageClass,
} from '../../ports/object-store.ts';

/** Bytes that come once. */
export type ByteStream = Readable | AsyncIterable<Uint8Array>;

/**
 * What to upload. A stream is consumed or destroyed when the call settles, and cannot be sent again; a buffer, or a
 * function that makes the stream anew, can.
 */
export type UploadSource = Uint8Array | ByteStream | (() => ByteStream);

/**
 * Where an object may be read. Buckets have no object ACLs (S3's default since 2023): public is what lies under the
 * public prefixes. Given, it is checked against the key, so that a private file never lands in a public place.
 */
export type ObjectAccess = 'public' | 'private';

export interface UploadMetadata {
  readonly key: string;
  readonly contentType: string;
  readonly access?: ObjectAccess;
  /** Unless given: immutable for a year under a public key, `private, no-store` elsewhere. */
  readonly cacheControl?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly storageClass?: StorageClass;
  /** UNSUPPORTED where the store has none. */
  readonly tags?: ObjectTags;
  /** Length in bytes, where it is known of a stream. */
  readonly contentLength?: number;
  /** FILE_TOO_LARGE as soon as one more byte arrives. */
  readonly maxBytes?: number;
  /** UPLOAD_MISMATCH unless the bytes have this hash (64 hex digits, lower case). */
  readonly expectedSha256?: string;
  /** Create only: ALREADY_EXISTS when the key is taken. */
  readonly ifNoneMatch?: boolean;
  /** Called as the store takes the bytes; starts again at 0 when an attempt is repeated. */
  readonly onProgress?: (progress: UploadProgress) => void;
  readonly signal?: AbortSignal;
}

export interface UploadProgress {
  readonly sentBytes: number;
  /** null while the length is not known. */
  readonly totalBytes: number | null;
}

export interface UploadedFile extends ObjectInfo {
  /** Of the bytes as they were sent, 64 hex digits. */
  readonly sha256: string;
  readonly access: ObjectAccess;
}

export interface DownloadOptions {
  /** Inclusive bounds, as in HTTP. */
  readonly range?: { readonly start: number; readonly end?: number };
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
}

export interface DownloadedFile {
  readonly info: ObjectInfo;
  /** To be consumed or destroyed. Goes on where it was after a broken connection. */
  readonly body: Readable;
  readonly servedBy: 'primary' | 'replica';
}

export interface ListOptions {
  /** Objects a page, 1 to 1,000 (1,000). */
  readonly pageSize?: number;
  /** Only keys greater than this one. */
  readonly after?: string;
  readonly signal?: AbortSignal;
}

/** Loop over it for every object, or ask for one page. */
export interface FileListing extends AsyncIterable<ListedObject> {
  page(): Promise<ListPage>;
}

export interface CopyOptions {
  readonly storageClass?: StorageClass;
  /** VERSION_CONFLICT unless the source has this etag when the copy begins. */
  readonly ifMatch?: string;
  readonly signal?: AbortSignal;
}

/** One line for every finished call. */
export interface Measurement {
  readonly operation: string;
  readonly ms: number;
  readonly attempts: number;
  /** null when it succeeded. */
  readonly code: ErrorCode | null;
}

/**
 * The object store as the rest of the product sees it: keys checked, bytes hashed, failures retried and classified,
 * calls measured, whatever the driver. Errors of every function besides its own: INVALID_KEY before the driver is
 * asked, ABORTED by its signal, STORAGE_UNAVAILABLE after its retries, INTERNAL for what nobody foresaw.
 */
export interface StorageService {
  /** Whether an upload form goes to the store, past us: what it brings is then told by nobody. */
  readonly takesFormsItself: boolean;
  /**
   * Streams a file in and hashes it on the way; durable when it resolves, invisible unless it does.
   * Errors: FILE_TOO_LARGE, UPLOAD_MISMATCH, UPLOAD_INCOMPLETE when the source breaks, ALREADY_EXISTS, STORAGE_FULL,
   * INVALID_REQUEST when `access` and key disagree.
   */
  uploadFile(file: UploadSource, metadata: UploadMetadata): Promise<UploadedFile>;
  /** Errors: NOT_FOUND, VERSION_CONFLICT, RANGE_NOT_SATISFIABLE, OBJECT_ARCHIVED. */
  downloadFile(key: string, options?: DownloadOptions): Promise<DownloadedFile>;
  /** What the store knows of a file, without its bytes. Errors: NOT_FOUND. */
  fileInfo(key: string, signal?: AbortSignal): Promise<ObjectInfo>;
  /** As `fileInfo`, and never from a replica: its copy may lie in another storage class. Errors: NOT_FOUND. */
  primaryInfo(key: string, signal?: AbortSignal): Promise<ObjectInfo>;
  /**
   * Takes a file out of reads and listings of the primary without destroying a version. A missing file is a success.
   * Errors: CONFLICT when that cannot be done.
   */
  hideFile(key: string, signal?: AbortSignal): Promise<void>;
  /** Also in the replica: S3 does not replicate the deletion of versions. A missing file is a success. */
  deleteFile(key: string, signal?: AbortSignal): Promise<void>;
  /** A URL that works for `expiration` seconds, 1 to 604,800 (S3's seven days). Errors: INVALID_REQUEST, UNSUPPORTED. */
  getSignedUrl(key: string, expiration: number): Promise<string>;
  /** A form that a browser posts to the store itself. Errors: INVALID_REQUEST, UNSUPPORTED. */
  getUploadForm(
    key: string,
    policy: { contentType: string; maxBytes: number; expiresInSeconds: number },
  ): Promise<PresignedPost>;
  /** Keys in ascending byte order. */
  listFiles(prefix: string, options?: ListOptions): FileListing;
  /**
   * Copies inside the store, with the caching that follows from the new key. Onto itself only with another storage class.
   * Errors: NOT_FOUND, OBJECT_ARCHIVED, VERSION_CONFLICT, STORAGE_FULL, INVALID_REQUEST.
   */
  copyFile(source: string, destination: string, options?: CopyOptions): Promise<ObjectInfo>;
  /**
   * Copies, then deletes the source: whenever it dies there is a whole copy, and the same call finishes it. Called
   * again after it had finished it is a success when `ifMatch` names the etag, NOT_FOUND otherwise.
   * Errors: those of copyFile.
   */
  moveFile(source: string, destination: string, options?: CopyOptions): Promise<ObjectInfo>;
  /** Makes an archived object readable for some days. Errors: NOT_FOUND, CONFLICT, UNSUPPORTED. */
  restoreFile(key: string, days: number): Promise<void>;
  /** Whether a file of an archive class can be read now. Errors: NOT_FOUND, UNSUPPORTED. */
  archiveStatus(key: string, signal?: AbortSignal): Promise<ArchiveStatus>;
  /** Errors: NOT_FOUND, UNSUPPORTED. */
  fileTags(key: string, signal?: AbortSignal): Promise<ObjectTags>;
  /** Replaces all tags of a file. Errors: NOT_FOUND, INVALID_REQUEST, UNSUPPORTED. */
  tagFile(key: string, tags: ObjectTags, signal?: AbortSignal): Promise<void>;
  /** Fails with STORAGE_UNAVAILABLE when the store cannot be used; one attempt. */
  ping(signal?: AbortSignal): Promise<void>;
}
