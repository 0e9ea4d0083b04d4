import { admins, only, staff, type Row } from './row.ts';

/** What moderators and admins do. */
export const ADMIN: readonly Row[] = [
  { operation: 'listReview', call: () => ({ path: '/v1/admin/review' }), expected: staff(200) },
  { operation: 'listScanners', call: () => ({ path: '/v1/admin/scanners' }), expected: staff(200) },
  { operation: 'listBanned', call: () => ({ path: '/v1/admin/banned' }), expected: staff(200) },
  {
    operation: 'unban',
    about: 'there is none',
    call: () => ({ path: '/v1/admin/banned/1' }),
    expected: admins(404),
  },
  {
    operation: 'decideMatch',
    about: 'there is none',
    call: () => ({ path: '/v1/admin/matches/1', json: { outcome: 'not_a_copy', reason: 'No' } }),
    expected: staff(404),
  },
  {
    operation: 'getPhotoHistory',
    call: ({ photo }) => ({ path: `/v1/admin/photos/${photo}/history` }),
    expected: staff(200),
  },
  {
    operation: 'getPhotoHistory',
    about: 'an identity document',
    call: ({ document }) => ({ path: `/v1/admin/photos/${document}/history` }),
    expected: staff(404),
  },
  {
    operation: 'getSellerModeration',
    call: () => ({ path: '/v1/admin/users/owner/moderation' }),
    expected: staff(200),
  },
  {
    operation: 'claimReview',
    about: 'what nobody waits for',
    call: ({ photo }) => ({ path: '/v1/admin/review/claims', json: { ids: [photo] } }),
    expected: staff(200),
  },
  {
    operation: 'releaseReview',
    call: () => ({ path: '/v1/admin/review/claims' }),
    expected: staff(204),
  },
  {
    operation: 'decidePhotos',
    about: 'that are public already',
    call: ({ photo }) => ({
      path: '/v1/admin/review/decisions',
      json: { ids: [photo], decision: 'approve' },
    }),
    expected: staff(200),
  },
  { operation: 'getModeration', call: () => ({ path: '/v1/admin/moderation' }), expected: staff(200) },
  {
    operation: 'replayModeration',
    call: () => ({ path: '/v1/admin/moderation/replay', json: { dryRun: true } }),
    expected: admins(202),
  },
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
    operation: 'listAuditRestores',
    call: () => ({ path: '/v1/admin/audit/restores' }),
    expected: admins(200),
  },
  {
    operation: 'acceptAuditRestore',
    about: 'there was none',
    call: () => ({ path: '/v1/admin/audit/restores', json: { lastGood: null, reason: 'A disk failed' } }),
    expected: admins(409),
  },
  {
    operation: 'rotateKeys',
    call: () => ({ path: '/v1/admin/keys/rotation', json: { dryRun: true } }),
    expected: admins(202),
  },
  {
    operation: 'rebuildSearch',
    call: () => ({ path: '/v1/admin/search/rebuild', json: { dryRun: true } }),
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
  {
    operation: 'scrub',
    call: () => ({ path: '/v1/admin/scrub', json: { dryRun: true } }),
    expected: admins(202),
  },
  {
    operation: 'invalidateCdn',
    call: () => ({ path: '/v1/admin/cdn/invalidations', json: { keys: ['items/*'], dryRun: true } }),
    expected: admins(202),
  },
  {
    operation: 'invalidateCdn',
    about: 'a private key',
    call: () => ({ path: '/v1/admin/cdn/invalidations', json: { keys: ['audit/x'] } }),
    expected: admins(400),
  },
  {
    operation: 'warmCdn',
    call: ({ photo }) => ({
      path: '/v1/admin/cdn/warm',
      json: { keys: [`items/thumbnail/x/${photo}-0123456789ab.jpg`], dryRun: true },
    }),
    expected: admins(202),
  },
  {
    operation: 'runLifecycle',
    call: () => ({ path: '/v1/admin/lifecycle/run', json: { dryRun: true } }),
    expected: admins(202),
  },
  { operation: 'getUsage', call: () => ({ path: '/v1/admin/usage' }), expected: admins(200) },
  {
    operation: 'getStorageReport',
    call: () => ({ path: '/v1/admin/storage-report' }),
    expected: admins(200),
  },
  {
    operation: 'placeHold',
    call: async ({ doomedDocument }) => ({
      path: `/v1/admin/photos/${await doomedDocument()}/hold`,
      json: { reason: 'Case 4711' },
    }),
    expected: admins(200),
  },
  {
    operation: 'getHold',
    about: 'there is none',
    call: ({ photo }) => ({ path: `/v1/admin/photos/${photo}/hold` }),
    expected: admins(404),
  },
  {
    operation: 'liftHold',
    about: 'there is none',
    call: ({ photo }) => ({ path: `/v1/admin/photos/${photo}/hold` }),
    expected: admins(404),
  },
];
