import { z } from 'zod';
import { CASE_SOURCES } from '#src/domain/review-case.ts';
import type { App, HttpDeps } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { problems } from '../responses.ts';
import { line, Page, Photo, PhotoParams, ReviewEntry } from '../schemas.ts';

/** What waits for a person, and what that person decides. */
export function reviewRoutes(app: App, { review }: Pick<HttpDeps, 'review'>): void {
  const tags = ['Review'];

  app.get(
    '/v1/admin/review',
    {
      schema: {
        tags,
        operationId: 'listReview',
        summary: 'Photos that wait for a person, the most urgent first',
        description:
          'Among equals the longest waiting. Leaves out what is to be looked at again and is not for the caller, who decided it.',
        querystring: Page.extend({ source: z.enum(CASE_SOURCES).exactOptional() }),
        response: {
          200: z.object({
            photos: z.array(ReviewEntry).readonly(),
            next: z.string().nullable(),
            count: z.int(),
          }),
          ...problems('FORBIDDEN'),
        },
      },
    },
    async (request) => review.listReview(callerOf(request), request.query),
  );

  app.post(
    '/v1/admin/photos/:id/decision',
    {
      schema: {
        tags,
        operationId: 'decidePhoto',
        summary: 'Approve, reject or take down',

        description: '`takedown` works on public photos, the others on photos in review.',
        params: PhotoParams,
        body: z.object({ decision: z.enum(['approve', 'reject', 'takedown']), reason: line(1_000) }),
        response: {
          200: Photo,
          ...problems('FORBIDDEN', 'NOT_FOUND', 'CONFLICT', 'ALREADY_DECIDED', 'ILLEGAL_TRANSITION'),
        },
      },
    },
    async (request) => review.decide(callerOf(request), request.params.id, request.body),
  );
}
