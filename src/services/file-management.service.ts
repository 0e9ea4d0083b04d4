import { mayActForUser } from '../domain/access.ts';
import { StorageError } from '../domain/errors.ts';
import { fileId, userId } from '../domain/ids.ts';
import { uploadKey } from '../domain/keys.ts';
import { findFile } from '../db/files.ts';
import type { FileManagementService, ReserveRequest } from './contracts.ts';
import type { ServiceDeps } from './deps.ts';
import { createDocuments } from './documents.ts';
import { deleteItemPhotos, getItemPhotos, reorderPhotos } from './photos/gallery.ts';
import { appeal, deletePhoto, getPhoto, getPhotoUrl, restorePhoto, setAlt } from './photos/one-photo.ts';
import { deleteProfilePhoto, getProfilePhoto, profileThumbnailKey } from './photos/profile-photos.ts';
import { getPhotoCookies } from './photos/view-cookies.ts';
import { getReceipt } from './photos/receipt.ts';
import { complete } from './uploads/complete.ts';
import { noteUpload, receive } from './uploads/receive.ts';
import { type ReservationRequest, reserve } from './uploads/reserve.ts';
import { abandon } from './uploads/abandon.ts';
import { appendUpload, uploadProgress } from './uploads/resumable.ts';
import { answerUpload, upload } from './uploads/upload.ts';

const FORM_SECONDS = 3600;

/** Everything LocalEx does with files, over one set of dependencies. */
export function createFileManagementService(deps: ServiceDeps): FileManagementService {
  return {
    uploadItemPhoto: (who, itemId, file, options) =>
      upload(deps, who, { kind: 'item_photo', target: { itemId } }, file, options),
    uploadProfilePhoto: (who, userId, file, options) =>
      upload(deps, who, { kind: 'profile_photo', target: { userId } }, file, options),
    async deleteItemPhotos(who, itemId) {
      return deleteItemPhotos(deps, who, itemId);
    },
    getItemPhotos: (who, itemId) => getItemPhotos(deps, who, itemId),
    reorderPhotos: (who, itemId, order, ifVersion) => reorderPhotos(deps, who, itemId, order, ifVersion),

    async reserveUpload(who, request) {
      const file = await reserve(deps, who, reservationOf(deps, who.userId, request));
      const id = fileId(file.id);
      const direct = await directForm(deps, id, request);
      return { id, direct };
    },
    async getReservation(who, id) {
      const file = await findFile(deps.db, id);
      if (file?.state !== 'pending' || !mayActForUser(who, file.owner_id)) throw noReservation();
      return { id, ownerId: file.owner_id, bytes: file.claimed_bytes ?? 0, type: file.claimed_type };
    },
    uploadProgress: (id) => uploadProgress(deps, id),
    appendUpload: (id, offset, body) => appendUpload(deps, id, offset, body),
    async receiveUpload(id, body, signal) {
      const file = await findFile(deps.db, id);
      if (file?.state !== 'pending') throw noReservation();
      try {
        const stored = await receive(deps, file, body, signal);
        await noteUpload(deps, id, uploadKey(id), stored);
      } catch (error) {
        if (error instanceof StorageError && !error.retryable && error.code !== 'ABORTED')
          await abandon(deps, id, error);
        throw error;
      }
    },
    async completeUpload(who, id, options) {
      const file = await findFile(deps.db, id);
      if (file === null || !mayActForUser(who, file.owner_id)) throw noReservation();
      return answerUpload(deps, await complete(deps, id), options);
    },

    getPhoto: (who, id) => getPhoto(deps, who, id),
    deletePhoto: (who, id) => deletePhoto(deps, who, id),
    setAlt: (who, id, alt) => setAlt(deps, who, id, alt),
    getReceipt: (who, id) => getReceipt(deps, who, id),
    appeal: (who, id, message) => appeal(deps, who, id, message),
    restorePhoto: (who, id) => restorePhoto(deps, who, id),
    getPhotoUrl: (who, id, request) => getPhotoUrl(deps, who, id, request),
    getPhotoCookies: (who, id, request) => getPhotoCookies(deps, who, id, request),
    getProfilePhoto: (who, userId) => getProfilePhoto(deps, who, userId),
    deleteProfilePhoto: (who, userId) => deleteProfilePhoto(deps, who, userId),
    profileThumbnailKey: (userId, format) => profileThumbnailKey(deps.db, userId, format),
    ...createDocuments(deps),
  };
}

function reservationOf(
  { limits, storage }: Pick<ServiceDeps, 'limits' | 'storage'>,
  caller: string,
  request: ReserveRequest,
): ReservationRequest {
  const shared = {
    filename: request.filename,
    type: request.type,
    bytes: request.bytes,
    sha256: request.sha256 ?? null,
    seconds: limits.pendingSeconds,
    formSeconds: storage.takesFormsItself ? formSeconds(limits) : null,
  };
  if (request.kind === 'item_photo') {
    if (request.itemId === undefined)
      throw new StorageError('INVALID_REQUEST', 'An item photo needs itemId.');
    return { kind: 'item_photo', target: { itemId: request.itemId }, ...shared };
  }
  if (request.itemId !== undefined)
    throw new StorageError('INVALID_REQUEST', 'A profile photo belongs to no listing: leave itemId out.');
  return { kind: 'profile_photo', target: { userId: userId(caller) }, ...shared };
}

async function directForm(deps: ServiceDeps, id: ReturnType<typeof fileId>, request: ReserveRequest) {
  return deps.storage.getUploadForm(uploadKey(id), {
    contentType: request.type,
    maxBytes: Math.min(request.bytes, deps.limits.maxFileSize),
    expiresInSeconds: formSeconds(deps.limits),
  });
}

/** How long a form works: long enough for a slow phone, short enough that one that leaks is soon of no use. */
function formSeconds({ pendingSeconds }: ServiceDeps['limits']): number {
  return Math.min(pendingSeconds, FORM_SECONDS);
}

function noReservation(): StorageError {
  return new StorageError('NOT_FOUND', 'There is no such upload.');
}
