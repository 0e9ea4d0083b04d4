import { z } from 'zod';
import { assertMayAdminister } from '#src/domain/access.ts';
import { purgePath, warmPath } from '#src/domain/cdn-paths.ts';
import type { App, HttpDeps } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { problems } from '../responses.ts';
import { Run } from './runs.ts';

const MAX_KEYS = 1_000;
const BODY_LIMIT = MAX_KEYS * 1_200;

const Keys = z.object({
  keys: z.array(z.string().min(1).max(1_024)).min(1).max(MAX_KEYS),
  dryRun: z.boolean().default(false),
});

/** What admins ask of the CDN: long work, so each answer is a run. */
export function cdnRoutes(app: App, { runs }: Pick<HttpDeps, 'runs'>): void {
  const tags = ['Delivery'];
  const response = { 202: Run, ...problems('FORBIDDEN', 'INVALID_KEY') };

  app.post(
    '/v1/admin/cdn/invalidations',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        tags,
        operationId: 'invalidateCdn',
        summary: 'Have the CDN forget objects',
        description:
          'Keys, `.auto` paths, the alias of a profile photo, or a prefix with `*` at its end, below `items/`, `profiles/` or `quarantine/view/`. The run ends when they are forgotten everywhere.',
        body: Keys,
        response,
      },
    },
    async (request, reply) => {
      const who = callerOf(request);
      assertMayAdminister(who, 'purge_cdn');
      const { keys, dryRun } = request.body;
      const params = { keys: [...new Set(keys.map(purgePath))] };
      return reply.code(202).send(await runs.start(who, 'cdn-invalidation', params, { dryRun }));
    },
  );

  app.post(
    '/v1/admin/cdn/warm',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        tags,
        operationId: 'warmCdn',
        summary: 'Have the CDN fetch objects before viewers do',
        description: 'Single public objects, or their `.auto`, which is fetched in both formats.',
        body: Keys,
        response,
      },
    },
    async (request, reply) => {
      const who = callerOf(request);
      assertMayAdminister(who, 'warm_cdn');
      const { keys, dryRun } = request.body;
      const params = { keys: [...new Set(keys.map(warmPath))] };
      return reply.code(202).send(await runs.start(who, 'cdn-warm', params, { dryRun }));
    },
  );
}
