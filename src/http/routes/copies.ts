import { z } from 'zod';
import { FILE_STATES } from '#src/domain/file-state.ts';
import { MATCH_OUTCOMES } from '#src/domain/review-case.ts';
import type { App, HttpDeps } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { NO_CONTENT, problems } from '../responses.ts';
import { line, Page } from '../schemas.ts';

const RowParams = z.object({ id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) });
const MatchedPhoto = z.object({ id: z.string(), state: z.enum(FILE_STATES) }).nullable();

const DecidedMatch = z
  .object({ id: z.int(), outcome: z.enum(MATCH_OUTCOMES), newer: MatchedPhoto, older: MatchedPhoto })
  .meta({ id: 'DecidedMatch' });

const BannedPicture = z
  .object({
    id: z.int(),
    reasonCode: z.string(),
    fileId: z.string().nullable().meta({ description: 'Null once the photo is deleted.' }),
    bannedBy: z.string(),
    bannedAt: z.string(),
    isInForce: z.boolean().meta({
      description: 'Whether it is recognised: before that the ban waits for a fingerprint of the photo.',
    }),
  })
  .meta({ id: 'BannedPicture' });

/** Photos that were there before: with another seller, or taken down. */
export function copyRoutes(app: App, { copies }: Pick<HttpDeps, 'copies'>): void {
  const tags = ['Review'];

  app.post(
    '/v1/admin/matches/:id',
    {
      schema: {
        tags,
        operationId: 'decideMatch',
        summary: 'Say what two photos that show the same are to each other',
        description:
          'The id is `matchId` of a finding `same_photo_elsewhere`. Which photo was uploaded first proves nothing. `not_a_copy` and `same_owner` let the newer one go on and are remembered, `copied_by_newer` refuses it, `copied_by_older` takes the older one down and lets the newer one go on. `reason` is for staff: it goes into the audit ledger, and neither seller reads it. The seller of a photo that is withdrawn reads the standard words of `stolen_photo`.',
        params: RowParams,
        body: z.object({ outcome: z.enum(MATCH_OUTCOMES), reason: line(1_000) }),
        response: {
          200: DecidedMatch,
          ...problems(
            'FORBIDDEN',
            'NOT_FOUND',
            'CONFLICT',
            'ALREADY_DECIDED',
            'CLAIMED',
            'ILLEGAL_TRANSITION',
          ),
        },
      },
    },
    async (request) => copies.decideMatch(callerOf(request), request.params.id, request.body),
  );

  app.get(
    '/v1/admin/banned',
    {
      schema: {
        tags,
        operationId: 'listBanned',
        summary: 'Pictures that may not be uploaded again, newest first',
        querystring: Page,
        response: {
          200: z.object({ pictures: z.array(BannedPicture).readonly(), next: z.string().nullable() }),
          ...problems('FORBIDDEN'),
        },
      },
    },
    async (request) => copies.listBanned(callerOf(request), request.query),
  );

  app.delete(
    '/v1/admin/banned/:id',
    {
      schema: {
        tags,
        operationId: 'unban',
        summary: 'Let a picture be uploaded again',
        params: RowParams,
        response: { 204: NO_CONTENT, ...problems('FORBIDDEN', 'NOT_FOUND') },
      },
    },
    async (request, reply) => {
      await copies.unban(callerOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}
