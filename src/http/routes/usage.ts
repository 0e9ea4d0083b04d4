import { z } from 'zod';
import type { App, HttpDeps } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { problems } from '../responses.ts';

export const UsageReport = z
  .object({
    from: z.string(),
    to: z.string(),
    days: z
      .array(
        z.object({
          day: z.string(),
          requests: z.int(),
          robotRequests: z.int(),
          hits: z.int(),
          misses: z.int(),
          errors: z.int(),
          hitRatio: z.number().nullable(),
          bytes: z.int(),
          views: z.int().meta({ description: 'Of photos, by people.' }),
          robotViews: z.int(),
          photos: z.int().meta({ description: 'That people looked at.' }),
        }),
      )
      .readonly(),
    accessLogs: z
      .object({
        ingestedUntil: z.string().nullable(),
        damaged: z
          .array(z.object({ key: z.string(), damage: z.string(), deliveredAt: z.string() }))
          .readonly(),
      })
      .nullable()
      .meta({ description: 'Null where the edge of this service counts by itself.' }),
  })
  .meta({ id: 'UsageReport' });

/** What is looked at, and how the CDN does. */
export function usageRoutes(app: App, { usage }: Pick<HttpDeps, 'usage'>): void {
  app.get(
    '/v1/admin/usage',
    {
      schema: {
        tags: ['Storage'],
        operationId: 'getUsage',
        summary: 'Requests, views, hit ratio and bytes out of each day',
        description:
          'Days are in UTC; the thirty up to today unless told. Programs that say so by their user agent are counted apart. Views behind CloudFront are a day behind, as its logs are.',
        querystring: z.object({ from: z.iso.date().optional(), to: z.iso.date().optional() }),
        response: { 200: UsageReport, ...problems('FORBIDDEN') },
      },
    },
    async (request) => usage.report(callerOf(request), request.query),
  );
}
