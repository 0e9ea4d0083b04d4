import { z } from 'zod';

const workerOptions = z.object({
  connection: z.union([
    z.object({ redisUrl: z.string() }),
    z.object({
      postgres: z.object({
        host: z.string(),
        port: z.number(),
        user: z.string(),
        database: z.string(),
        password: z.string().optional(),
      }),
    }),
  ]),
  prefix: z.string(),
  attempts: z.number(),
  lockMs: z.number(),
  backoff: z.object({ baseMs: z.number(), maxMs: z.number() }),
  /** Whether the process kills itself as soon as it has a job. */
  dies: z.boolean(),
});

export type WorkerOptions = z.infer<typeof workerOptions>;

export function parseWorkerOptions(json: string): WorkerOptions {
  return workerOptions.parse(JSON.parse(json));
}

const delivery = z.object({
  fileId: z.string(),
  attempt: z.number(),
  isLastAttempt: z.boolean(),
  isExhausted: z.boolean(),
});

export type Delivery = z.infer<typeof delivery>;

export function parseDelivery(line: string): Delivery {
  return delivery.parse(JSON.parse(line));
}
