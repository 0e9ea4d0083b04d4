import { z } from 'zod';
import type { App, HttpDeps } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { problems } from '../responses.ts';
import { Run } from './runs.ts';

/** Wrapping keys of documents: a new one, at once. */
export function keyRoutes(app: App, { keys }: Pick<HttpDeps, 'keys'>): void {
  app.post(
    '/v1/admin/keys/rotation',
    {
      schema: {
        tags: ['Keys'],
        operationId: 'rotateKeys',
        summary: 'Make a new wrapping key and re-wrap the keys of all documents',
        description:
          '`destroyOld` ends the older wrapping keys as soon as nothing needs them: for a key that may have leaked.',
        body: z.object({ dryRun: z.boolean().default(false), destroyOld: z.boolean().default(false) }),
        response: { 202: Run, ...problems('FORBIDDEN', 'UNSUPPORTED', 'KEYS_UNAVAILABLE') },
      },
    },
    async (request, reply) => {
      const run = await keys.rotate(callerOf(request), request.body);
      return reply.code(202).header('location', `/v1/admin/runs/${run.id}`).send(run);
    },
  );
}
