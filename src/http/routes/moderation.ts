import { z } from 'zod';
import type { App, HttpDeps } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { problems } from '../responses.ts';

const Threshold = z.union([z.number(), z.literal('never')]);
const Rules = z.record(z.string(), z.object({ review: Threshold, reject: Threshold }));

const Overview = z
  .object({
    detectors: z.array(z.object({ name: z.string(), sees: z.array(z.string()).readonly() })).readonly(),
    blindSpots: z.array(z.string()).readonly().meta({ description: 'What none of them can see.' }),
    policy: z.object({
      name: z.string(),
      version: z.string(),
      labels: Rules,
      otherLabels: z.object({ review: Threshold, reject: Threshold }),
      categories: z.record(z.string(), Rules),
    }),
    charges: z
      .array(
        z.object({
          month: z.string(),
          detector: z.string(),
          photos: z.int(),
          usd: z.number().nullable().meta({ description: 'By the price list; null where it is not known.' }),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'ModerationOverview' });

/** How photos are judged by machine. */
export function moderationRoutes(app: App, { moderation }: Pick<HttpDeps, 'moderation'>): void {
  app.get(
    '/v1/admin/moderation',
    {
      schema: {
        tags: ['Review'],
        operationId: 'getModeration',
        summary: 'How photos are judged by machine',
        description:
          'Who looks at photos and what they are able to see, what nobody but people sees, the policy in force, and what moderators outside have charged for.',
        response: { 200: Overview, ...problems('FORBIDDEN') },
      },
    },
    async (request) => moderation.overview(callerOf(request)),
  );
}
