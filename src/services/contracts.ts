import type { Readable } from 'node:stream';
import type { Principal } from '../domain/access.ts';
import type { FileId, ItemId, UserId } from '../domain/ids.ts';
import type { OutputFormat, VariantName } from '../domain/renditions.ts';
import type { SignedCookie } from '../ports/cdn.ts';
import type { PresignedPost } from '../ports/object-store.ts';
import type { Photo, UploadAnswer } from './photo.ts';
import type { Receipt } from './receipt.ts';

/** A file on its way in. The name and type are claims: the bytes decide. */
export interface IncomingFile {
  readonly filename: string;
  readonly type: string | null;
  readonly body: Readable | Uint8Array;
  /** Length where the client announced it. */
  readonly bytes?: number;
}

export interface UploadOptions {
  /** How long to wait for the photo to be public; 0 answers at once. */
  readonly waitMs: number;
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

export interface Reservation {
  readonly id: FileId;
  /** Null when the store cannot sign forms. */
  readonly direct: PresignedPost | null;
}

export interface ReserveRequest {
  readonly kind: 'item_photo' | 'profile_photo';
  readonly itemId?: ItemId;
  readonly filename: string;
  readonly bytes: number;
  readonly type: string;
  readonly sha256?: string;
}

/** How far a resumable upload is. */
export interface UploadProgress {
  /** Bytes that are here. */
  readonly offset: number;
  /** Bytes that were announced. */
  readonly bytes: number;
  readonly filename: string;
  readonly type: string | null;
  readonly createdAt: Date;
}

export interface Gallery {
  readonly photos: readonly Photo[];
  /** Rises with each change of order or membership. */
  readonly version: number;
  /** The photo that would do clearly better as the cover than the first; null when there is none, and for other people. */
  readonly suggestedCover: string | null;
}

/**
 * Everything LocalEx does with files: the plan's six functions and what the routes need beside them.
 * Every call names who asks; access is decided by `domain/access.ts` and a refusal is FORBIDDEN or NOT_FOUND.
 */
export interface FileManagementService {
  /**
   * Takes one photo of a listing. A refusal known before `waitMs` is over is thrown with its code (INVALID_IMAGE,
   * UNSUPPORTED_TYPE, FILE_TOO_LARGE, TOO_MANY_PIXELS, MALWARE_FOUND, CONTENT_REJECTED, QUOTA_EXCEEDED, STORAGE_FULL,
   * IDEMPOTENCY_CONFLICT …) with `details.fileId`; later it is the photo's state and reason.
   */
  uploadItemPhoto(
    who: Principal,
    itemId: ItemId,
    file: IncomingFile,
    options: UploadOptions,
  ): Promise<UploadAnswer>;
  /** Takes a profile photo. The present one stays public until this one is published, then it is deleted. */
  uploadProfilePhoto(
    who: Principal,
    userId: UserId,
    file: IncomingFile,
    options: UploadOptions,
  ): Promise<UploadAnswer>;
  /** Takes an identity document: encrypted as it streams in, scanned, never public. */
  uploadVerificationDocument(
    who: Principal,
    userId: UserId,
    file: IncomingFile,
    options: UploadOptions,
  ): Promise<UploadAnswer>;
  /** Deletes all photos of a listing. Returns how many. */
  deleteItemPhotos(who: Principal, itemId: ItemId): Promise<number>;
  /** Photos in order. Without rights on the listing only those that are public. */
  getItemPhotos(who: Principal | null, itemId: ItemId): Promise<Gallery>;
  /** `order` names every placed photo once. VERSION_CONFLICT when `ifVersion` is not the present one. */
  reorderPhotos(
    who: Principal,
    itemId: ItemId,
    order: readonly FileId[],
    ifVersion: number | null,
  ): Promise<Gallery>;

  /** Reserves a place for bytes that come by tus or by form. */
  reserveUpload(who: Principal, request: ReserveRequest): Promise<Reservation>;
  /** What a reservation allows, for the routes that receive its bytes. NOT_FOUND when there is none pending for the caller. */
  getReservation(
    who: Principal | null,
    id: FileId,
  ): Promise<{ id: FileId; ownerId: string; bytes: number; type: string | null }>;
  /** How far the bytes of a reservation are that come in parts; whole once it is completed. NOT_FOUND. */
  uploadProgress(id: FileId): Promise<UploadProgress>;
  /**
   * Adds the bytes from `offset` on and returns the new offset; what has come when the body breaks is kept. CONFLICT when
   * the upload stands elsewhere, or two add to it at once.
   */
  appendUpload(id: FileId, offset: number, body: Readable): Promise<number>;
  /** Stores the bytes of a reservation from a signed form that we take. UPLOAD_MISMATCH, FILE_TOO_LARGE, UNSUPPORTED_TYPE. */
  receiveUpload(id: FileId, body: Readable | Uint8Array, signal?: AbortSignal): Promise<void>;
  /**
   * One idempotent transition: the bytes are here, whichever way they came. UPLOAD_INCOMPLETE when they are not;
   * UPLOAD_MISMATCH, UNSUPPORTED_TYPE and FILE_TOO_LARGE when they are others than were announced: then they are removed.
   */
  completeUpload(who: Principal, id: FileId, options: UploadOptions): Promise<UploadAnswer>;

  getPhoto(who: Principal | null, id: FileId): Promise<Photo>;
  deletePhoto(who: Principal, id: FileId): Promise<void>;
  setAlt(who: Principal, id: FileId, alt: string): Promise<Photo>;
  /** What was in the upload and is in nothing that was made of it; owner and staff. NOT_FOUND, FORBIDDEN, CONFLICT. */
  getReceipt(who: Principal, id: FileId): Promise<Receipt>;
  appeal(who: Principal, id: FileId, message: string): Promise<Photo>;
  /** Has an archived original, or document, brought back; `archive` of the photo tells how far that is. */
  restorePhoto(who: Principal, id: FileId): Promise<Photo>;
  getProfilePhoto(who: Principal | null, userId: UserId): Promise<Photo>;
  deleteProfilePhoto(who: Principal, userId: UserId): Promise<void>;
  /** Path of the present public thumbnail of a user, for the mutable alias; NOT_FOUND when there is none. */
  profileThumbnailKey(userId: UserId, format: OutputFormat): Promise<string>;
  listVerificationDocuments(who: Principal, userId: UserId): Promise<readonly Photo[]>;
  /** Decrypted content of a document; audited before the first byte. */
  openVerificationDocument(
    who: Principal,
    id: FileId,
  ): Promise<{ filename: string; contentType: string; body: Readable }>;
  deleteVerificationDocument(who: Principal, id: FileId): Promise<void>;
  /** A URL that works for `expiresIn` seconds, also for a sanitised view that is not public. */
  getPhotoUrl(
    who: Principal,
    id: FileId,
    request: { variant: VariantName; format: OutputFormat | null; expiresIn: number },
  ): Promise<{ url: string; expiresAt: string }>;
  /**
   * Cookies that open every view of one photo that is not public for `expiresIn` seconds. For whoever builds on this service on the
   * host of the CDN, where alone a browser sends them: no route of the API gives them.
   */
  getPhotoCookies(
    who: Principal,
    id: FileId,
    request: { readonly expiresIn: number },
  ): Promise<{ cookies: readonly SignedCookie[]; expiresAt: string }>;
}

export interface Item {
  readonly id: string;
  readonly title: string;
  readonly category: string | null;
  readonly status: 'draft' | 'active' | 'sold' | 'withdrawn';
  readonly sellerId: string;
  readonly photosVersion: number;
  readonly photoCount: number;
  readonly cover: Photo | null;
  readonly createdAt: string;
}

export interface ItemsService {
  /** The seller is the caller; role service may name another. Creating it again with the same id and seller returns it. */
  createItem(
    who: Principal,
    item: { id?: ItemId; title: string; category?: string; sellerId?: UserId },
  ): Promise<{ item: Item; created: boolean }>;
  /** Newest first; `sellerId` narrows. Only a seller's own list shows drafts and withdrawn items. */
  listItems(
    who: Principal | null,
    page: { sellerId?: UserId; after?: string; limit: number },
  ): Promise<{ items: readonly Item[]; next: string | null }>;
  getItem(who: Principal | null, id: ItemId): Promise<Item>;
  updateItem(
    who: Principal,
    id: ItemId,
    change: { title?: string; category?: string | null; status?: Item['status'] },
  ): Promise<Item>;
  /** Removes the listing and its photos. */
  deleteItem(who: Principal, id: ItemId): Promise<void>;
}

export type { FileChange, FileEvents } from '../db/file-events.ts';
