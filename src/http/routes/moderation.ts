import { z } from 'zod';
import type { App, HttpDeps } from '../deps.ts';
import { callerOf } from '../identity.ts';
import { problems } from '../responses.ts';
import { ModerationPolicySchema } from '#src/services/moderation/policy-schema.ts';
import { Run } from './runs.ts';

const Threshold = z.union([z.number(), z.literal('never')]);
const Rule = z.object({ review: Threshold, reject: Threshold, hide: Threshold.optional() });
const Rules = z.record(z.string(), Rule);

const Overview = z
  .object({
    detectors: z.array(z.object({ name: z.string(), sees: z.array(z.string()).readonly() })).readonly(),
    blindSpots: z.array(z.string()).readonly().meta({ description: 'What none of them can see.' }),
    policy: z.object({
      name: z.string(),
      version: z.string(),
      labels: Rules,
      otherLabels: Rule,
      categories: z.record(z.string(), Rules),
      reports: z.record(z.string(), z.union([z.int(), z.literal('never')])).optional(),
    }),
    late: z.object({ count: z.int(), oldest: z.string().nullable(), hours: z.number() }).meta({
      description: 'Photos that wait for a moderator for more than so many hours, which is an alarm.',
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

const Replay = z.object({
  policy: ModerationPolicySchema.nullable()
    .default(null)
    .meta({ description: 'As in its file; that in force when there is none.' }),
  release: z.boolean().default(false).meta({
    description: 'Publish what waits only for a doubt of a machine that it would not have now.',
  }),
  newModels: z.boolean().default(false).meta({
    description:
      'Have moderators that charge look again at photos that another version of their model saw. A dry run says how many and what that costs.',
  }),
  dryRun: z.boolean().default(true).meta({ description: 'Say what would change; change nothing.' }),
});

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
          'Who looks at photos and what they are able to see, what nobody but people sees, the policy in force, how many photos wait too long for people, and what moderators outside have charged for.',
        response: { 200: Overview, ...problems('FORBIDDEN') },
      },
    },
    async (request) => moderation.overview(callerOf(request)),
  );

  app.post(
    '/v1/admin/moderation/replay',
    {
      schema: {
        tags: ['Runs'],
        operationId: 'replayModeration',
        summary: 'Judge past photos again',
        description:
          'By the policy in force, or by one that is tried; where a model has changed, photos are looked at again. Public photos that are doubtful then go to the review queue; they stay public, or are hidden until a person decides where the policy says so. What people have decided stands. The run says for each photo what changes; a dry run changes nothing.',
        body: Replay,
        response: { 202: Run, ...problems('FORBIDDEN') },
      },
    },
    async (request, reply) => reply.code(202).send(await moderation.replay(callerOf(request), request.body)),
  );
}
