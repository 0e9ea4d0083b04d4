import { z } from 'zod';
import type { App, HttpDeps } from '../deps.ts';

const Ready = z.object({
  status: z.enum(['ready', 'degraded', 'unavailable']),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), degraded: z.boolean().optional() })),
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
        description:
          '`degraded`: somebody has to look after what is marked so; the service does the rest of its work.',
        answers: { 503: { description: 'Something it needs does not answer.' } },
        response: { 200: Ready, 503: Ready },
      },
    },
    async (_request, reply) => {
      const checks = await ready();
      const failing = checks.filter((check) => !check.ok && check.degraded !== true);
      const degraded = checks.filter((check) => check.degraded === true);
      if (failing.length > 0) log.warn({ failing }, 'Not ready');
      if (degraded.length > 0) log.warn({ degraded }, 'Ready, but degraded');
      reply.header('cache-control', 'no-store');
      if (failing.length > 0) return reply.code(503).send({ status: 'unavailable', checks: [...checks] });
      const status = degraded.length === 0 ? 'ready' : 'degraded';
      return reply.code(200).send({ status, checks: [...checks] });
    },
  );
}
