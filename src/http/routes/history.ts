import { z } from 'zod';
import { FILE_STATES } from '#src/domain/file-state.ts';
import { CASE_SOURCES } from '#src/domain/review-case.ts';
import type { App, HttpDeps } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { problems } from '../responses.ts';
import { Finding, Page, Photo, PhotoParams, UserParams } from '../schemas.ts';

const PastDecision = z.object({
  at: z.string(),
  fileId: z.string(),
  moderatorId: z.string(),
  decision: z.enum(['approve', 'reject', 'takedown']),
  reason: z.string(),
  reasonCode: z.string().nullable(),
});

const PhotoHistory = z
  .object({
    photo: Photo,
    events: z
      .array(z.object({ at: z.string(), state: z.enum(FILE_STATES), reasonCode: z.string().nullable() }))
      .readonly(),
    findings: z.array(Finding).readonly(),
    cases: z
      .array(
        z.object({
          source: z.enum(CASE_SOURCES),
          openedAt: z.string(),
          closedAt: z.string().nullable(),
          outcome: z.enum(['approve', 'reject', 'takedown', 'withdrawn']).nullable(),
        }),
      )
      .readonly(),
    decisions: z.array(PastDecision).readonly(),
    appeals: z
      .array(
        z.object({
          at: z.string(),
          message: z.string(),
          outcome: z.string().nullable(),
          decidedAt: z.string().nullable(),
        }),
      )
      .readonly(),
    reports: z
      .array(
        z.object({
          at: z.string(),
          userId: z.string(),
          reasonCode: z.string(),
          message: z.string().nullable(),
        }),
      )
      .readonly(),
    proofs: z
      .array(
        z.object({
          state: z.enum(['waiting', 'gone', 'superseded', 'served', 'unanswered']),
          urls: z.int(),
          probedAt: z.string().nullable(),
        }),
      )
      .readonly()
      .meta({ description: 'Whether its public URLs were found to be gone, each time it was withdrawn.' }),
    holds: z
      .array(
        z.object({
          reason: z.string(),
          placedBy: z.string(),
          placedAt: z.string(),
          liftedAt: z.string().nullable(),
        }),
      )
      .readonly()
      .meta({ description: 'Legal holds, for admins; empty for moderators.' }),
    next: z.string().nullable(),
  })
  .meta({ id: 'PhotoHistory' });

const counts = z.record(z.string(), z.int()).readonly();
const SellerModeration = z
  .object({
    userId: z.string(),
    photos: counts.meta({ description: 'By state.' }),
    decisions: counts.meta({ description: 'By decision.' }),
    appeals: z.object({ made: z.int(), upheld: z.int() }),
    reports: z.int().meta({ description: 'Of their photos, by others.' }),
    last: z.array(PastDecision).readonly(),
    next: z.string().nullable(),
  })
  .meta({ id: 'SellerModeration' });

/** What moderators read before they decide: how a photo, and its seller, were judged before. */
export function historyRoutes(app: App, { review }: Pick<HttpDeps, 'review'>): void {
  const tags = ['Review'];

  app.get(
    '/v1/admin/photos/:id/history',
    {
      schema: {
        tags,
        operationId: 'getPhotoHistory',
        summary: 'All that happened to a photo',
        description:
          'A page of about `limit` entries, each part the latest first; what was seen in it and proofs come with the first page. Also of a deleted photo. Reading it is written down.',
        params: PhotoParams,
        querystring: Page,
        response: { 200: PhotoHistory, ...problems('FORBIDDEN', 'NOT_FOUND') },
      },
    },
    async (request) => review.photoHistory(callerOf(request), request.params.id, request.query),
  );

  app.get(
    '/v1/admin/users/:userId/moderation',
    {
      schema: {
        tags,
        operationId: 'getSellerModeration',
        summary: 'How the photos of a seller were judged',
        description: 'With a page of the decisions, the latest first. Reading it is written down.',
        params: UserParams,
        querystring: Page,
        response: { 200: SellerModeration, ...problems('FORBIDDEN') },
      },
    },
    async (request) => review.sellerModeration(callerOf(request), request.params.userId, request.query),
  );
}
