import { z } from 'zod';
import { RUN_KINDS, RUN_STATES } from '#src/domain/runs.ts';
import type { App, HttpDeps } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { problems } from '../responses.ts';
import { Page } from '../schemas.ts';

export const Run = z
  .object({
    id: z.uuid(),
    kind: z.enum(RUN_KINDS),
    state: z.enum(RUN_STATES),
    dryRun: z.boolean(),
    params: z.record(z.string(), z.unknown()).readonly(),
    requestedBy: z.string(),
    progress: z.object({ done: z.int(), total: z.int().nullable(), note: z.string().nullable() }),
    result: z.record(z.string(), z.unknown()).readonly().nullable(),
    reason: z.object({ code: z.string(), message: z.string() }).nullable(),
    cancelRequested: z.boolean(),
    createdAt: z.string(),
    startedAt: z.string().nullable(),
    finishedAt: z.string().nullable(),
  })
  .meta({ id: 'Run', description: 'Long work: look again until it has `finishedAt`.' });

const RunAction = z
  .object({
    action: z.string(),
    subject: z.string(),
    details: z.record(z.string(), z.unknown()).readonly(),
    at: z.string(),
  })
  .meta({ id: 'RunAction', description: 'What a run did; of a dry run, what it would have done.' });

const RunParams = z.object({ id: z.uuid() });

/** Long work that admins started: how far it is, what it did, and ending it. */
export function runRoutes(app: App, { runs }: Pick<HttpDeps, 'runs'>): void {
  const tags = ['Runs'];

  app.get(
    '/v1/admin/runs',
    {
      schema: {
        tags,
        operationId: 'listRuns',
        summary: 'Runs, newest first',
        querystring: Page.extend({ kind: z.enum(RUN_KINDS).exactOptional() }),
        response: {
          200: z.object({ runs: z.array(Run).readonly(), next: z.string().nullable() }),
          ...problems('FORBIDDEN'),
        },
      },
    },
    async (request) => runs.list(callerOf(request), request.query),
  );

  app.get(
    '/v1/admin/runs/:id',
    {
      schema: {
        tags,
        operationId: 'getRun',
        summary: 'A run and what it did',
        params: RunParams,
        querystring: Page,
        response: {
          200: z.object({ run: Run, actions: z.array(RunAction).readonly(), next: z.string().nullable() }),
          ...problems('FORBIDDEN', 'NOT_FOUND'),
        },
      },
    },
    async (request) => runs.get(callerOf(request), request.params.id, request.query),
  );

  app.delete(
    '/v1/admin/runs/:id',
    {
      schema: {
        tags,
        operationId: 'cancelRun',
        summary: 'Cancel a run',
        description: 'One that waits ends at once, one at work at its next step.',
        params: RunParams,
        response: { 202: Run, ...problems('FORBIDDEN', 'NOT_FOUND', 'CONFLICT') },
      },
    },
    async (request, reply) => reply.code(202).send(await runs.cancel(callerOf(request), request.params.id)),
  );
}
