import { everybody, only, withToken, type Row } from './row.ts';

/** Photos, profile photos, identity documents and uploads. */
export const FILES: readonly Row[] = [
  {
    operation: 'getPhoto',
    about: 'public',
    call: ({ photo }) => ({ path: `/v1/photos/${photo}` }),
    expected: everybody(200),
  },
  {
    operation: 'getPhoto',
    about: 'in review',
    call: ({ reviewed }) => ({ path: `/v1/photos/${reviewed}` }),
    expected: only(200, ['owner', 'moderator', 'admin', 'service'], 404, 404),
  },
  {
    operation: 'getPhoto',
    about: 'an identity document',
    call: ({ document }) => ({ path: `/v1/photos/${document}` }),
    expected: only(200, ['owner', 'moderator', 'admin'], 404, 404),
  },
  {
    operation: 'getPhotoReceipt',
    about: 'public',
    call: ({ photo }) => ({ path: `/v1/photos/${photo}/receipt` }),
    expected: only(200, ['owner', 'moderator', 'admin'], 403),
  },
  {
    operation: 'getPhotoReceipt',
    about: 'in review',
    call: ({ reviewed }) => ({ path: `/v1/photos/${reviewed}/receipt` }),
    expected: { ...only(200, ['owner', 'moderator', 'admin'], 404), service: 403 },
  },
  {
    operation: 'getPhotoReceipt',
    about: 'of an identity document',
    call: ({ document }) => ({ path: `/v1/photos/${document}/receipt` }),
    expected: withToken(404),
  },
  {
    operation: 'updatePhoto',
    call: ({ photo }) => ({ path: `/v1/photos/${photo}`, json: { alt: 'A lake' } }),
    expected: only(200, ['owner', 'admin', 'service'], 403),
  },
  {
    operation: 'deletePhoto',
    call: async ({ doomedPhoto }) => ({ path: `/v1/photos/${await doomedPhoto()}` }),
    expected: { ...only(204, ['owner', 'admin', 'service'], 404), moderator: 403 },
  },
  {
    operation: 'appealPhoto',
    about: 'one that is not refused',
    call: ({ photo }) => ({ path: `/v1/photos/${photo}/appeal`, json: { message: 'Please' } }),
    expected: only(409, ['owner'], 403),
  },
  {
    operation: 'reportPhoto',
    about: 'public',
    call: ({ photo }) => ({ path: `/v1/photos/${photo}/report`, json: { reasonCode: 'bad_quality' } }),
    expected: only(204, ['seller', 'plain', 'moderator', 'admin'], 403),
  },
  {
    operation: 'reportPhoto',
    about: 'in review',
    call: ({ reviewed }) => ({ path: `/v1/photos/${reviewed}/report`, json: { reasonCode: 'bad_quality' } }),
    expected: { ...only(403, ['owner', 'moderator', 'admin', 'service'], 404) },
  },
  {
    operation: 'restorePhoto',
    about: 'that is at hand',
    call: ({ photo }) => ({ path: `/v1/photos/${photo}/restore` }),
    expected: only(202, ['owner', 'moderator', 'admin', 'service'], 403),
  },
  {
    operation: 'createSignedUrl',
    about: 'public',
    call: ({ photo }) => ({
      path: `/v1/photos/${photo}/signed-url`,
      json: { variant: 'original', expiresIn: 60 },
    }),
    expected: withToken(200),
  },
  {
    operation: 'createSignedUrl',
    about: 'in review',
    call: ({ reviewed }) => ({
      path: `/v1/photos/${reviewed}/signed-url`,
      json: { variant: 'original', expiresIn: 60 },
    }),
    expected: { ...only(200, ['owner', 'moderator', 'admin'], 404), service: 403 },
  },
  {
    operation: 'createSignedUrl',
    about: 'too long',
    call: ({ photo }) => ({
      path: `/v1/photos/${photo}/signed-url`,
      json: { variant: 'original', expiresIn: 604_800 },
    }),
    expected: withToken(400),
  },
  {
    operation: 'createSignedUrl',
    about: 'of an identity document',
    call: ({ document }) => ({
      path: `/v1/photos/${document}/signed-url`,
      json: { variant: 'original', expiresIn: 60 },
    }),
    expected: withToken(404),
  },
  {
    operation: 'followPhoto',
    about: 'in review',
    call: ({ reviewed }) => ({
      path: `/v1/photos/${reviewed}/events`,
      headers: { accept: 'text/event-stream' },
    }),
    expected: only(200, ['owner', 'moderator', 'admin', 'service'], 404, 404),
  },
  {
    operation: 'getProfilePhoto',
    about: 'there is none',
    call: () => ({ path: '/v1/users/owner/profile-photo' }),
    expected: everybody(404),
  },
  {
    operation: 'deleteProfilePhoto',
    about: 'there is none',
    call: () => ({ path: '/v1/users/owner/profile-photo' }),
    expected: only(404, ['owner', 'admin', 'service'], 403),
  },
  {
    operation: 'replaceProfilePhoto',
    call: () => ({ path: '/v1/users/owner/profile-photo', file: true }),
    expected: only(415, ['owner', 'admin', 'service'], 403),
  },
  {
    operation: 'uploadVerificationDocument',
    call: () => ({ path: '/v1/users/owner/verification-documents', file: true }),
    expected: only(415, ['owner', 'admin', 'service'], 403),
  },
  {
    operation: 'listVerificationDocuments',
    call: () => ({ path: '/v1/users/owner/verification-documents' }),
    expected: only(200, ['owner', 'moderator', 'admin'], 403),
  },
  {
    operation: 'getVerificationDocumentContent',
    call: ({ document }) => ({ path: `/v1/verification-documents/${document}/content` }),
    expected: only(200, ['owner', 'moderator', 'admin'], 404),
  },
  {
    operation: 'deleteVerificationDocument',
    call: async ({ doomedDocument }) => ({ path: `/v1/verification-documents/${await doomedDocument()}` }),
    expected: { ...only(204, ['owner', 'admin'], 404), moderator: 403 },
  },
  {
    operation: 'reserveUpload',
    call: ({ item }) => ({
      path: '/v1/uploads',
      json: { kind: 'item_photo', itemId: item, filename: 'a.jpg', bytes: 100, type: 'image/jpeg' },
    }),
    expected: only(201, ['owner', 'service'], 403),
  },
  {
    operation: 'completeUpload',
    about: 'nothing was sent',
    call: ({ reserved }) => ({ path: `/v1/uploads/${reserved}/complete`, json: {} }),
    expected: only(409, ['owner', 'admin', 'service'], 404),
  },
  {
    operation: 'sendUploadForm',
    about: 'forged',
    call: ({ reserved }) => ({ path: `/v1/uploads/form?${reserved}`, file: true }),
    expected: everybody(403),
  },
  {
    operation: 'getUploadOffset',
    call: async ({ begun }) => ({
      path: `/v1/uploads/tus/${await begun()}`,
      headers: { 'tus-resumable': '1.0.0' },
    }),
    expected: only(200, ['owner', 'admin', 'service'], 404),
  },
  {
    operation: 'appendUpload',
    call: async ({ begun }) => ({
      path: `/v1/uploads/tus/${await begun()}`,
      headers: {
        'tus-resumable': '1.0.0',
        'upload-offset': '7',
        'content-type': 'application/offset+octet-stream',
      },
    }),
    expected: only(409, ['owner', 'admin', 'service'], 404),
  },
  {
    operation: 'abandonUpload',
    call: async ({ begun }) => ({
      path: `/v1/uploads/tus/${await begun()}`,
      headers: { 'tus-resumable': '1.0.0' },
    }),
    expected: only(204, ['owner', 'admin', 'service'], 404),
  },
];
