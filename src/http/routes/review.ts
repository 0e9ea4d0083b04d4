import { z } from 'zod';
import { CASE_SOURCES } from '#src/domain/review-case.ts';
import type { App, HttpDeps } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { NO_CONTENT, problems } from '../responses.ts';
import { Claim, ClaimBody, Decision, DecisionsBody, Outcome, ReportBody } from '../review-schemas.ts';
import { Page, Photo, PhotoParams, ReviewEntry } from '../schemas.ts';

const tags = ['Review'];

/** What waits for a person, who has it before them, and what that person decides. */
export function reviewRoutes(app: App, { review }: Pick<HttpDeps, 'review'>): void {
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
  reportRoute(app, review);
  claimRoutes(app, review);
  decisionRoutes(app, review);
}

function reportRoute(app: App, review: HttpDeps['review']): void {
  app.post(
    '/v1/photos/:id/report',
    {
      config: { costly: true },
      schema: {
        tags: ['Photos'],
        operationId: 'reportPhoto',
        summary: 'Say that something is wrong with a public photo',
        description:
          'A moderator looks at it. Once a photo and person; asked again it is a success. Nobody tells the seller who it was.',
        params: PhotoParams,
        body: ReportBody,
        response: { 204: NO_CONTENT, ...problems('FORBIDDEN', 'NOT_FOUND', 'RATE_LIMITED') },
      },
    },
    async (request, reply) => {
      await review.report(callerOf(request), request.params.id, request.body);
      return reply.code(204).send(null);
    },
  );
}

function claimRoutes(app: App, review: HttpDeps['review']): void {
  app.post(
    '/v1/admin/review/claims',
    {
      schema: {
        tags,
        operationId: 'claimReview',
        summary: 'Take photos of the queue that no other moderator gets meanwhile',
        description:
          'Either the next `count`, without those in `except` that the caller has already, or those named in `ids`. A claim lapses by itself; claimed again it is renewed.',
        body: ClaimBody,
        response: { 200: Claim, ...problems('FORBIDDEN') },
      },
    },
    async (request) => review.claim(callerOf(request), request.body),
  );

  app.delete(
    '/v1/admin/review/claims',
    {
      schema: {
        tags,
        operationId: 'releaseReview',
        summary: 'Give back all that the caller has claimed',
        response: { 204: NO_CONTENT, ...problems('FORBIDDEN') },
      },
    },
    async (request, reply) => {
      await review.release(callerOf(request));
      return reply.code(204).send(null);
    },
  );
}

function decisionRoutes(app: App, review: HttpDeps['review']): void {
  app.post(
    '/v1/admin/photos/:id/decision',
    {
      schema: {
        tags,
        operationId: 'decidePhoto',
        summary: 'Approve, reject or take down',
        description:
          'In review: `approve` or `reject`. Public: `takedown`, which another moderator looks at again; `approve` keeps one that is in the queue. In that second look `approve` brings it back, `takedown` confirms. The seller of a photo that is refused or taken down reads the standard words of `reasonCode`, and `reason` behind them; of an approval nothing. A photo that `match`, or one of `matches`, calls the copy is withdrawn with the standard words of `stolen_photo`: its seller does not read `reason`. All that follows is done, or nothing.',
        params: PhotoParams,
        body: Decision,
        response: {
          200: Photo,
          ...problems(
            'FORBIDDEN',
            'NOT_FOUND',
            'CONFLICT',
            'ALREADY_DECIDED',
            'CLAIMED',
            'CONTRADICTION',
            'ILLEGAL_TRANSITION',
          ),
        },
      },
    },
    async (request) => review.decide(callerOf(request), request.params.id, request.body),
  );

  app.post(
    '/v1/admin/review/decisions',
    {
      schema: {
        tags,
        operationId: 'decidePhotos',
        summary: 'Decide many photos alike',
        description: 'Each is decided by itself; the answer says of each what came of it.',
        body: DecisionsBody,
        response: { 200: z.object({ outcomes: z.array(Outcome).readonly() }), ...problems('FORBIDDEN') },
      },
    },
    async (request) => {
      const { ids, ...decision } = request.body;
      return { outcomes: await review.decideMany(callerOf(request), ids, decision) };
    },
  );
}
