import { z } from 'zod';
import type { App, HttpDeps } from '../deps.ts';

const Ready = z.object({
  status: z.enum(['ready', 'unavailable']),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean() })),
});

/** For whoever runs the service. */
export function systemRoutes(app: App, { ready, log }: Pick<HttpDeps, 'ready' | 'log'>): void {
  const tags = ['System'];

  app.get(
    '/healthz',
    {
      schema: {
        tags,
        operationId: 'getHealth',
        summary: 'The process is up',

        response: { 200: z.object({ status: z.literal('ok') }) },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      schema: {
        tags,
        operationId: 'getReadiness',
        summary: 'Everything it needs answers',
        answers: { 503: { description: 'Something it needs does not answer.' } },
        response: { 200: Ready, 503: Ready },
      },
    },
    async (_request, reply) => {
      const checks = await ready();
      const failing = checks.filter((check) => !check.ok);
      if (failing.length > 0) log.warn({ failing }, 'Not ready');
      reply.header('cache-control', 'no-store');
      return failing.length === 0
        ? reply.code(200).send({ status: 'ready', checks: [...checks] })
        : reply.code(503).send({ status: 'unavailable', checks: [...checks] });
    },
  );
}
