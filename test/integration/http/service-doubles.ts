import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { StorageError } from '#src/domain/errors.ts';

import type { FileChange, FileEvents, FileManagementService, ItemsService } from '#src/services/contracts.ts';
import type { ReviewService } from '#src/services/review/contracts.ts';
import type { Photo } from '#src/services/photo.ts';
import type { AuditService } from '#src/services/audit.service.ts';
import type { CopiesService } from '#src/services/copies.service.ts';
import type { LifecycleService } from '#src/services/lifecycle.service.ts';
import type { ModerationService } from '#src/services/moderation.service.ts';
import type { SearchService } from '#src/services/search.service.ts';
import type { RunsService } from '#src/services/runs.service.ts';

export const PHOTO_ID = '019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11';

export function photo(change: Partial<Photo> = {}): Photo {
  return {
    id: PHOTO_ID,
    kind: 'item_photo',
    itemId: 'item-1',
    ownerId: 'seller-1',
    state: 'published',
    stage: 'derive',
    archive: 'none',
    position: 0,
    reason: null,
    warnings: [],
    alt: null,
    width: 400,
    height: 300,
    bytes: 1000,
    format: 'jpeg',
    sha256: null,
    placeholder: null,
    createdAt: '2026-01-05T09:30:00.000Z',
    publishedAt: null,
    variants: {},
    srcset: { jpeg: '', webp: '' },
    ...change,
  };
}

const unused = (): never => {
  throw new Error('secret internals at /var/lib/secret');
};

/** Services that only remember what they are asked; what a test does not set fails. */
export function doubles(files: Partial<FileManagementService> = {}, items: Partial<ItemsService> = {}) {
  const review: ReviewService = {
    listReview: unused,
    claim: unused,
    release: unused,
    decide: unused,
    report: unused,
    photoHistory: unused,
    sellerModeration: unused,
    decideMany: unused,
  };
  const allFiles: FileManagementService = {
    uploadItemPhoto: unused,
    uploadProfilePhoto: unused,
    uploadVerificationDocument: unused,
    deleteItemPhotos: unused,
    getItemPhotos: unused,
    reorderPhotos: unused,
    reserveUpload: unused,
    getReservation: unused,
    uploadProgress: unused,
    appendUpload: unused,
    receiveUpload: unused,
    completeUpload: unused,
    getPhoto: unused,
    deletePhoto: unused,
    setAlt: unused,
    getReceipt: unused,
    appeal: unused,
    restorePhoto: unused,
    getProfilePhoto: unused,
    deleteProfilePhoto: unused,
    profileThumbnailKey: unused,
    listVerificationDocuments: unused,
    openVerificationDocument: unused,
    deleteVerificationDocument: unused,
    getPhotoUrl: unused,
    getPhotoCookies: unused,
    ...files,
  };
  const allItems: ItemsService = {
    createItem: unused,
    listItems: unused,
    getItem: unused,
    updateItem: unused,
    deleteItem: unused,
    ...items,
  };
  const search: SearchService = { searchPhotos: unused, rebuild: unused };
  const runs: RunsService = { start: unused, list: unused, get: unused, cancel: unused };
  const audit: AuditService = {
    list: unused,
    verifyRecent: unused,
    restores: unused,
    acceptRestore: unused,
  };
  const lifecycle: LifecycleService = {
    archiveOldFiles: unused,
    deleteExpiredFiles: unused,
    optimizeStorage: unused,
    carryOut: unused,
    generateStorageReport: unused,
    setHold: unused,
    releaseHold: unused,
    getHold: unused,
  };
  const moderation: ModerationService = { overview: unused, replay: unused };
  const copies: CopiesService = { decideMatch: unused, listBanned: unused, unban: unused };
  return {
    files: allFiles,
    items: allItems,
    review,
    runs,
    search,
    moderation,
    copies,
    lifecycle,
    usage: { report: unused },
    audit,
    keys: { rotate: unused },
    scanners: { list: unused },
  };
}

/** Events that a test raises by hand. */
export function manualEvents() {
  const listeners = new Set<(change: FileChange | null) => void>();
  const events: FileEvents = {
    subscribe(_filter, listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return {
    events,
    listeners,
    raise: () => {
      for (const listener of listeners) listener({ fileId: PHOTO_ID, itemId: 'item-1' });
    },
  };
}

export async function digest(body: Readable | Uint8Array): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    if (!(chunk instanceof Uint8Array)) throw new StorageError('INVALID_REQUEST');
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}
