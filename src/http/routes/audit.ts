import { z } from 'zod';
import type { App, HttpDeps } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { problems } from '../responses.ts';
import { FileIdParam, Page, UserIdParam } from '../schemas.ts';
import { Run } from './runs.ts';

const AuditEntry = z
  .object({
    id: z.int(),
    at: z.string(),
    userId: z.string(),
    action: z.string(),
    fileId: z.string().nullable(),
    details: z.record(z.string(), z.unknown()).readonly(),
    seq: z.int().nullable().meta({ description: 'Its place in the chain; null until it is sealed.' }),
  })
  .meta({ id: 'AuditEntry' });

const ChainPlace = z.object({ seq: z.int(), hash: z.string() });

const RestorePoint = z
  .object({
    key: z
      .string()
      .meta({ description: 'Of the object that says so; the entry `ledger.restored` names it.' }),
    acceptedBy: z.string(),
    acceptedAt: z.string(),
    reason: z.string(),
    lastGood: z
      .string()
      .nullable()
      .meta({ description: 'The last anchor that the restored chain goes through.' }),
    anchors: z.array(z.string()).readonly().meta({ description: 'Anchors whose rows the restore has lost.' }),
  })
  .meta({ id: 'AuditRestorePoint' });

const AuditVerdict = z
  .object({
    ok: z.boolean(),
    problem: z
      .object({
        damage: z.enum([
          'changed',
          'removed',
          'rewritten',
          'truncated',
          'added',
          'unsealed',
          'anchor_missing',
        ]),
        seq: z.int().nullable(),
        entryId: z.int().nullable(),
        message: z.string(),
      })
      .nullable()
      .meta({ description: 'The first bad row; null when there is none.' }),
    checked: z.int(),
    from: ChainPlace,
    to: ChainPlace,
    anchors: z.int(),
    accepted: z.array(RestorePoint).readonly().meta({
      description:
        'Anchors that the chain was not compared with: restores of the database that an admin has accepted.',
    }),
  })
  .meta({ id: 'AuditVerdict' });

const time = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .meta({ format: 'date-time' });

/** The audit ledger: reading it, which is audited itself, and proving that nobody has changed it. */
export function auditRoutes(app: App, { audit, runs }: Pick<HttpDeps, 'audit' | 'runs'>): void {
  const tags = ['Audit'];

  app.get(
    '/v1/admin/audit',
    {
      schema: {
        tags,
        operationId: 'listAudit',
        summary: 'Who did what, newest first',
        description:
          '`action=removal.proof` with a `fileId` shows that the public URLs of what was taken down or deleted are gone: `details` has the state `gone`, `served` or `unanswered`, and what the CDN answered for each of them, and when.',
        querystring: Page.extend({
          actor: UserIdParam.exactOptional(),
          action: z.string().min(1).max(100).exactOptional(),
          fileId: FileIdParam.exactOptional(),
          from: time.exactOptional(),
          to: time.exactOptional(),
        }),
        response: {
          200: z.object({ entries: z.array(AuditEntry).readonly(), next: z.string().nullable() }),
          ...problems('FORBIDDEN'),
        },
      },
    },
    async (request) => {
      const { after, limit, actor, ...filter } = request.query;
      return audit.list(
        callerOf(request),
        { ...filter, ...(actor !== undefined && { userId: actor }) },
        { ...(after !== undefined && { after }), limit },
      );
    },
  );

  app.post(
    '/v1/admin/audit/verify',
    {
      schema: {
        tags,
        operationId: 'verifyAudit',
        summary: 'Prove that the audit ledger is as it was written',
        description:
          '`recent` answers with the verdict on what came since the last anchor. `all` starts a run whose result is the verdict on the whole ledger.',
        body: z.object({ scope: z.enum(['recent', 'all']).default('recent') }),
        response: { 200: AuditVerdict, 202: Run, ...problems('FORBIDDEN', 'STORAGE_UNAVAILABLE') },
      },
    },
    async (request, reply) => {
      const who = callerOf(request);
      if (request.body.scope === 'recent') return reply.code(200).send(await audit.verifyRecent(who));
      const run = await runs.start(who, 'verify-audit', {}, { dryRun: false });
      return reply.code(202).header('location', `/v1/admin/runs/${run.id}`).send(run);
    },
  );

  app.get(
    '/v1/admin/audit/restores',
    {
      schema: {
        tags,
        operationId: 'listAuditRestores',
        summary: 'Restores of the database that the audit ledger knows of',
        description:
          '`open` is what a restore has left to be accepted: null while the ledger goes through its anchors.',
        response: {
          200: z.object({
            accepted: z.array(RestorePoint).readonly(),
            open: RestorePoint.pick({ lastGood: true, anchors: true }).nullable(),
          }),
          ...problems('FORBIDDEN', 'STORAGE_UNAVAILABLE'),
        },
      },
    },
    async (request) => audit.restores(callerOf(request)),
  );

  app.post(
    '/v1/admin/audit/restores',
    {
      schema: {
        tags,
        operationId: 'acceptAuditRestore',
        summary: 'Accept that a restore of the database has lost rows of the audit ledger',
        description:
          'Name the last good anchor as `GET` shows it. The anchors behind it are listed as accepted for ever; all others are compared as before.',
        body: z.object({
          lastGood: z.string().max(200).nullable(),
          reason: z.string().trim().min(1).max(1000),
        }),
        response: {
          201: RestorePoint,
          ...problems('FORBIDDEN', 'CONFLICT', 'VERSION_CONFLICT', 'STORAGE_UNAVAILABLE'),
        },
      },
    },
    async (request, reply) =>
      reply.code(201).send(await audit.acceptRestore(callerOf(request), request.body)),
  );
}
