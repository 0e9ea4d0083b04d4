import { z } from 'zod';
import type { JobName, JobPayloads } from '#src/ports/job-queue.ts';

const fileJob = z.object({ fileId: z.string().min(1), generation: z.number().int().nonnegative() });

const SCHEMAS: { readonly [Name in JobName]: z.ZodType<JobPayloads[Name]> } = {
  ingest: fileJob,
  derive: fileJob,
  'scan-document': fileJob,
  'read-text': fileJob,
};

/** How many kinds of job there are: each has a queue, and at most one worker in a process. */
export const JOB_KINDS = Object.keys(SCHEMAS).length;

/** Narrows what came out of the queue. Throws a ZodError for anything this version did not put in. */
export function parsePayload<Name extends JobName>(name: Name, data: unknown): JobPayloads[Name] {
  return SCHEMAS[name].parse(data);
}
