import { z } from 'zod';
import { EVIDENCE_MOVE_STATES } from '#src/domain/evidence.ts';
import { STORAGE_CLASSES } from '#src/domain/storage-class.ts';
import type { App, HttpDeps } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { NO_CONTENT, problems } from '../responses.ts';
import { line, PhotoParams } from '../schemas.ts';
import { Run } from './runs.ts';

const amounts = {
  objects: z.int(),
  bytes: z.int(),
  usdMonth: z
    .number()
    .meta({ description: 'US dollars for keeping them for a month, by the named price list.' }),
};

export const StorageReport = z
  .object({
    at: z.string(),
    total: z.object(amounts),
    byPrefix: z.array(z.object({ prefix: z.string(), ...amounts })).readonly(),
    byClass: z.array(z.object({ storageClass: z.enum(STORAGE_CLASSES), ...amounts })).readonly(),
    byState: z.array(z.object({ state: z.string(), ...amounts })).readonly(),
    bySeller: z
      .array(z.object({ sellerId: z.string(), ...amounts }))
      .readonly()
      .meta({ description: 'The twenty who store most.' }),
    prices: z.object({ region: z.string(), asOf: z.string(), source: z.string() }),
  })
  .meta({ id: 'StorageReport' });

export const LegalHold = z
  .object({
    fileId: z.string(),
    reason: z.string(),
    placedBy: z.string(),
    placedAt: z.string(),
    evidence: z
      .array(
        z.object({
          key: z.string(),
          state: z.enum(EVIDENCE_MOVE_STATES),
          error: z.string().nullable(),
          since: z.string(),
          movedAt: z.string().nullable(),
        }),
      )
      .readonly()
      .meta({
        description:
          'Originals that were public when the photo ended, by their public keys, on their way into quarantine: `waiting`, `restoring` (they were archived, the store is bringing them back), `moved`, or `lost` (neither the store nor a backup source has them any more).',
      }),
  })
  .meta({ id: 'LegalHold' });

/** The lifecycle of stored bytes: its runs, its report, and what a court wants kept. */
export function lifecycleRoutes(app: App, { lifecycle, runs }: Pick<HttpDeps, 'lifecycle' | 'runs'>): void {
  const tags = ['Storage'];

  app.post(
    '/v1/admin/lifecycle/run',
    {
      schema: {
        tags,
        operationId: 'runLifecycle',
        summary: 'Archive, expire and tidy up by the rules of retention',
        description: 'A dry run records what would be done, and does none of it.',
        body: z.object({ dryRun: z.boolean().default(false) }),
        response: { 202: Run, ...problems('FORBIDDEN') },
      },
    },
    async (request, reply) => {
      const run = await runs.start(callerOf(request), 'lifecycle', {}, { dryRun: request.body.dryRun });
      return reply.code(202).send(run);
    },
  );

  app.get(
    '/v1/admin/storage-report',
    {
      schema: {
        tags,
        operationId: 'getStorageReport',
        summary: 'Bytes, objects and monthly cost by prefix, class, state and seller',
        response: { 200: StorageReport, ...problems('FORBIDDEN') },
      },
    },
    async (request) => lifecycle.generateStorageReport(callerOf(request)),
  );

  app.put(
    '/v1/admin/photos/:id/hold',
    {
      schema: {
        tags,
        operationId: 'placeHold',
        summary: 'Keep a photo or document whatever happens, for legal reasons',
        description:
          'Placed again it stays as it was. A held photo can still be taken down: then it is hidden.',
        params: PhotoParams,
        body: z.object({ reason: line(1_000) }),
        response: { 200: LegalHold, ...problems('FORBIDDEN', 'NOT_FOUND', 'CONFLICT') },
      },
    },
    async (request) => lifecycle.setHold(callerOf(request), request.params.id, request.body.reason),
  );

  app.get(
    '/v1/admin/photos/:id/hold',
    {
      schema: {
        tags,
        operationId: 'getHold',
        summary: 'The legal hold in force',
        params: PhotoParams,
        response: { 200: LegalHold, ...problems('FORBIDDEN', 'NOT_FOUND') },
      },
    },
    async (request) => lifecycle.getHold(callerOf(request), request.params.id),
  );

  app.delete(
    '/v1/admin/photos/:id/hold',
    {
      schema: {
        tags,
        operationId: 'liftHold',
        summary: 'Lift a legal hold',
        description: 'What was kept for the hold alone is removed.',
        params: PhotoParams,
        response: { 204: NO_CONTENT, ...problems('FORBIDDEN', 'NOT_FOUND') },
      },
    },
    async (request, reply) => {
      await lifecycle.releaseHold(callerOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}
