import { z } from 'zod';
import type { App, HttpDeps } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { problems } from '../responses.ts';
import { Run } from './runs.ts';

const Scrub = z.object({
  dryRun: z.boolean().default(false).meta({ description: 'Report what is damaged; mend nothing.' }),
  deep: z
    .boolean()
    .default(false)
    .meta({ description: 'Read the bytes of all objects, not only of those that look changed.' }),
  acceptLoss: z.boolean().default(false).meta({
    description:
      'A scrub stops where so much is missing that this may be another store. Go on: it is lost indeed.',
  }),
});

/** Comparing all stored objects with what the rows know of them. */
export function scrubRoutes(app: App, { runs }: Pick<HttpDeps, 'runs'>): void {
  app.post(
    '/v1/admin/scrub',
    {
      schema: {
        tags: ['Runs'],
        operationId: 'scrub',
        summary: 'Find and mend damaged objects',
        description:
          'Compares every stored object with what is known of it. What was changed or lost comes back from the replica, renditions also from their original; what cannot be mended is no longer served. The run says what was found and done.',
        body: Scrub,
        response: { 202: Run, ...problems('FORBIDDEN') },
      },
    },
    async (request, reply) => {
      const { dryRun, deep, acceptLoss } = request.body;
      const params = { deep, ...(acceptLoss && { acceptLoss }) };
      return reply.code(202).send(await runs.start(callerOf(request), 'scrub', params, { dryRun }));
    },
  );
}
