import * as z from 'zod/mini';
import { SUBJECTS } from '../../../src/domain/moderation-subjects.ts';
import { call } from './client.ts';

const ModerationSchema = z.object({
  detectors: z.array(z.object({ name: z.string(), sees: z.array(z.enum(SUBJECTS)) })),
  blindSpots: z.array(z.string()),
  late: z.object({ count: z.number(), oldest: z.nullable(z.string()), hours: z.number() }),
  policy: z.object({ name: z.string(), version: z.string() }),
});
export type Moderation = z.infer<typeof ModerationSchema>;

/** How photos are judged by machine, for those who judge what machines leave to them. */
export function getModeration(signal?: AbortSignal): Promise<Moderation> {
  return call('/v1/admin/moderation', ModerationSchema, { signal });
}
