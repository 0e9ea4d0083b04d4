import { z } from 'zod';
import { CANARY_OUTCOMES } from '#src/domain/canary.ts';
import type { App, HttpDeps } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { problems } from '../responses.ts';

export const ScannerReport = z
  .object({
    scanner: z.string(),
    version: z.string().nullable(),
    outcome: z.enum(CANARY_OUTCOMES),
    since: z.string(),
    checkedAt: z.string(),
    distrust: z.enum(['blind', 'accusing']).nullable(),
    problem: z.string().nullable(),
  })
  .meta({ id: 'ScannerReport' });

/** Whether the virus scanners still find anything. */
export function scannerRoutes(app: App, { scanners }: Pick<HttpDeps, 'scanners'>): void {
  app.get(
    '/v1/admin/scanners',
    {
      schema: {
        tags: ['Review'],
        operationId: 'listScanners',
        summary: 'Virus scanners, and how they did when they were last tried with known files',
        description:
          '`blind`: did not find the EICAR test file. `accusing`: found something where there is nothing. `silent`: gave no clear answer. While `distrust` is set, photos are not published on its word.',
        response: {
          200: z.object({ scanners: z.array(ScannerReport).readonly() }),
          ...problems('FORBIDDEN'),
        },
      },
    },
    async (request) => ({ scanners: await scanners.list(callerOf(request)) }),
  );
}
