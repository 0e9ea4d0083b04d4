/** Who calls: each with a token of its own, and things of its own, so that it is an owner of something. */
export const CALLERS = ['nobody', 'owner', 'seller', 'plain', 'moderator', 'admin', 'service'] as const;
export type Caller = (typeof CALLERS)[number];

/** What the calls are about. All of it belongs to `owner`. */
export interface Subjects {
  readonly item: string;
  readonly draft: string;
  /** Public. */
  readonly photo: string;
  /** Waits for a moderator. */
  readonly reviewed: string;
  readonly document: string;
  /** Reserved by `owner`, nothing sent. */
  readonly reserved: string;
  /** A photo, a document and a listing that may be destroyed: another one for each call. */
  readonly doomedPhoto: () => Promise<string>;
  readonly doomedDocument: () => Promise<string>;
  readonly doomedItem: () => Promise<string>;
  /** A resumable upload that `owner` has begun. */
  readonly begun: () => Promise<string>;
}

export interface Call {
  readonly path: string;
  readonly json?: unknown;
  /** A file that every upload route refuses by its bytes, once it knows that its sender may send one. */
  readonly file?: true;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Row {
  /** `operationId` of the OpenAPI document. */
  readonly operation: string;
  /** What tells rows of one operation apart. */
  readonly about?: string;
  readonly call: (subjects: Subjects) => Call | Promise<Call>;
  /** Statuses by caller. */
  readonly expected: Readonly<Record<Caller, number>>;
}

/** `ok` to those named, `otherwise` to the others; who has no token is told to get one unless the route is open. */
function only(ok: number, who: readonly Caller[], otherwise: number, nobody = 401): Row['expected'] {
  const statusOf = (caller: Caller) => (who.includes(caller) ? ok : caller === 'nobody' ? nobody : otherwise);
  return {
    nobody: statusOf('nobody'),
    owner: statusOf('owner'),
    seller: statusOf('seller'),
    plain: statusOf('plain'),
    moderator: statusOf('moderator'),
    admin: statusOf('admin'),
    service: statusOf('service'),
  };
}
const everybody = (status: number) => only(status, CALLERS, status);
const withToken = (status: number) => only(status, CALLERS.slice(1), status);
const admins = (status: number) => only(status, ['admin'], 403);
const staff = (status: number) => only(status, ['moderator', 'admin'], 403);

/** Every route, every caller. A route that is not here fails the test. */
export const ACCESS: readonly Row[] = [
  { operation: 'getHealth', call: () => ({ path: '/healthz' }), expected: everybody(200) },
  { operation: 'getReadiness', call: () => ({ path: '/readyz' }), expected: everybody(200) },
  {
    operation: 'createDevelopmentToken',
    call: () => ({ path: '/dev/token', json: { sub: 'x', roles: [] } }),
    expected: everybody(200),
  },
  {
    operation: 'getSignedObject',
    about: 'forged',
    call: ({ photo }) => ({ path: `/store/items/${photo}?expires=9999999999&signature=forged` }),
    expected: everybody(403),
  },
  {
    operation: 'getCdnObject',
    about: 'not public',
    call: ({ reviewed }) => ({ path: `/cdn/quarantine/raw/${reviewed}` }),
    expected: everybody(404),
  },
  {
    operation: 'getCdnObject',
    about: 'the audit ledger',
    call: () => ({ path: '/cdn/audit/anchors/0000000000000001.json' }),
    expected: everybody(404),
  },

  {
    operation: 'createItem',
    call: () => ({ path: '/v1/items', json: { title: 'A thing' } }),
    expected: only(201, ['owner', 'seller', 'service'], 403),
  },
  {
    operation: 'createItem',
    about: 'for somebody else',
    call: () => ({ path: '/v1/items', json: { title: 'A thing', sellerId: 'somebody' } }),
    expected: only(201, ['service'], 403),
  },
  { operation: 'listItems', call: () => ({ path: '/v1/items' }), expected: everybody(200) },
  { operation: 'getItem', call: ({ item }) => ({ path: `/v1/items/${item}` }), expected: everybody(200) },
  {
    operation: 'getItem',
    about: 'a draft',
    call: ({ draft }) => ({ path: `/v1/items/${draft}` }),
    expected: only(200, ['owner', 'moderator', 'admin', 'service'], 404, 404),
  },
  {
    operation: 'updateItem',
    call: ({ item }) => ({ path: `/v1/items/${item}`, json: { title: 'Another' } }),
    expected: only(200, ['owner', 'admin', 'service'], 403),
  },
  {
    operation: 'updateItem',
    about: 'a draft',
    call: ({ draft }) => ({ path: `/v1/items/${draft}`, json: { category: 'bikes' } }),
    expected: { ...only(200, ['owner', 'admin', 'service'], 404), moderator: 403 },
  },
  {
    operation: 'deleteItem',
    call: async ({ doomedItem }) => ({ path: `/v1/items/${await doomedItem()}` }),
    expected: only(204, ['owner', 'admin', 'service'], 403),
  },

  {
    operation: 'uploadItemPhoto',
    call: ({ item }) => ({ path: `/v1/items/${item}/photos`, file: true }),
    expected: only(415, ['owner', 'service'], 403),
  },
  {
    operation: 'uploadItemPhoto',
    about: 'to a draft',
    call: ({ draft }) => ({ path: `/v1/items/${draft}/photos`, file: true }),
    expected: { ...only(415, ['owner', 'service'], 403), seller: 404, plain: 404 },
  },
  {
    operation: 'getItemPhotos',
    call: ({ item }) => ({ path: `/v1/items/${item}/photos` }),
    expected: everybody(200),
  },
  {
    operation: 'getItemPhotos',
    about: 'of a draft',
    call: ({ draft }) => ({ path: `/v1/items/${draft}/photos` }),
    expected: only(200, ['owner', 'moderator', 'admin', 'service'], 404, 404),
  },
  {
    operation: 'deleteItemPhotos',
    call: async ({ doomedItem }) => ({ path: `/v1/items/${await doomedItem()}/photos` }),
    expected: only(200, ['owner', 'admin', 'service'], 403),
  },
  {
    operation: 'reorderPhotos',
    call: ({ draft }) => ({ path: `/v1/items/${draft}/photos/order`, json: { order: [] } }),
    expected: { ...only(200, ['owner', 'admin', 'service'], 404), moderator: 403 },
  },

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
    operation: 'followItem',
    about: 'of a draft',
    call: ({ draft }) => ({ path: `/v1/items/${draft}/events`, headers: { accept: 'text/event-stream' } }),
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

  { operation: 'listReview', call: () => ({ path: '/v1/admin/review' }), expected: staff(200) },
  {
    operation: 'decidePhoto',
    about: 'that is public already',
    call: ({ photo }) => ({
      path: `/v1/admin/photos/${photo}/decision`,
      json: { decision: 'approve', reason: 'Fine' },
    }),
    expected: staff(409),
  },
  {
    operation: 'decidePhoto',
    about: 'an identity document',
    call: ({ document }) => ({
      path: `/v1/admin/photos/${document}/decision`,
      json: { decision: 'takedown', reason: 'No' },
    }),
    expected: { ...only(403, ['owner', 'moderator', 'admin'], 404) },
  },
  { operation: 'listAudit', call: () => ({ path: '/v1/admin/audit' }), expected: admins(200) },
  {
    operation: 'verifyAudit',
    call: () => ({ path: '/v1/admin/audit/verify', json: { scope: 'recent' } }),
    expected: admins(200),
  },
  {
    operation: 'verifyAudit',
    about: 'all of it',
    call: () => ({ path: '/v1/admin/audit/verify', json: { scope: 'all' } }),
    expected: admins(202),
  },
  {
    operation: 'rotateKeys',
    call: () => ({ path: '/v1/admin/keys/rotation', json: { dryRun: true } }),
    expected: admins(202),
  },
  { operation: 'listRuns', call: () => ({ path: '/v1/admin/runs' }), expected: admins(200) },
  {
    operation: 'getRun',
    about: 'there is none',
    call: ({ photo }) => ({ path: `/v1/admin/runs/${photo}` }),
    expected: admins(404),
  },
  {
    operation: 'cancelRun',
    about: 'there is none',
    call: ({ photo }) => ({ path: `/v1/admin/runs/${photo}` }),
    expected: admins(404),
  },
];
