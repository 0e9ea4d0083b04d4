import { setTimeout as sleep } from 'node:timers/promises';
import { isStorageError } from '#src/domain/errors.ts';
import type { JobContext, JobName, JobPayloads } from '#src/ports/job-queue.ts';
import type { Log } from '#src/ports/log.ts';
import { parsePayload } from './payloads.ts';

/** How long a handler may take to stop after its signal. Milliseconds. */
export const STOP_GRACE_MS = 1_000;

/** The part of a BullMQ job that matters here. */
export interface DeliveredJob {
  readonly id?: string | undefined;
  readonly data: unknown;
  /** Tries that ended with an error. */
  readonly attemptsMade: number;
  /** Tries whose process died or stood still. */
  readonly stalledCounter: number;
  moveToWait(token?: string): Promise<unknown>;
}

/** Errors by which BullMQ is told what to do with a job. */
export interface Verdicts {
  /** The job is over. */
  unrecoverable(message: string): Error;
  /** The job has been put back; touch it no more. */
  handedBack(): Error;
}

export interface ProcessorOptions<Name extends JobName> {
  readonly name: Name;
  readonly handler: (payload: JobPayloads[Name], context: JobContext) => Promise<void>;
  readonly attempts: number;
  readonly running: RunningJobs;
  readonly verdicts: Verdicts;
  readonly log: Log;
}

/** Runs one delivered job: counts the try, calls the handler, and decides about another try. */
export function createProcessor<Name extends JobName>(options: ProcessorOptions<Name>) {
  const { name, handler, attempts, running, verdicts, log } = options;

  return async (job: DeliveredJob, token?: string): Promise<void> => {
    const id = job.id ?? '';
    const attempt = job.attemptsMade + job.stalledCounter + 1;
    const isLastAttempt = attempt >= attempts;
    const entry = running.enter(id);
    try {
      const work = call(async () => {
        const context = { id, attempt, isLastAttempt, isExhausted: attempt > attempts, signal: entry.signal };
        await handler(parsePayload(name, job.data), context);
      });
      const outcome = await Promise.race([work, entry.stopped]);
      if (outcome === 'done') return;
      if (entry.stopping()) {
        log.info({ job: name, id, attempt }, 'a job is handed back at shutdown');
        await handBack(job, token, log);
        throw verdicts.handedBack();
      }
      const error = outcome === 'stopped' ? new Error('the job was stopped') : outcome.error;
      const willRetry = !isLastAttempt && isStorageError(error) && error.retryable;
      log.warn({ job: name, id, attempt, willRetry, payload: job.data, err: error }, 'a job failed');
      if (willRetry) throw error;
      throw verdicts.unrecoverable(error instanceof Error ? error.message : String(error));
    } finally {
      running.leave(id, entry);
    }
  };
}

type Outcome = 'done' | 'stopped' | { readonly error: unknown };

async function call(work: () => Promise<void>): Promise<Outcome> {
  try {
    await work();
    return 'done';
  } catch (error) {
    return { error };
  }
}

/** A hand-back that fails costs nothing but time: the lock expires and the job is delivered again. */
async function handBack(job: DeliveredJob, token: string | undefined, log: Log): Promise<void> {
  try {
    await job.moveToWait(token);
  } catch (error) {
    log.warn({ err: error, id: job.id }, 'a job could not be handed back and waits for its lock to expire');
  }
}

interface RunningJob {
  readonly signal: AbortSignal;
  /** Settles a grace after shutdown's abort, whether the handler has listened or not. */
  readonly stopped: Promise<'stopped'>;
  stopping(): boolean;
  abort(reason: 'shutdown' | 'lost'): void;
}

export interface RunningJobs {
  enter(id: string): RunningJob;
  leave(id: string, job: RunningJob): void;
  /** The job's lock is gone: its handler is told to stop. */
  lose(id: string): void;
  stopAll(): void;
}

/** The jobs at work in this process, so that they can be told to stop. */
export function createRunningJobs(): RunningJobs {
  const jobs = new Map<string, RunningJob>();
  return {
    enter(id) {
      const job = createRunningJob();
      jobs.set(id, job);
      return job;
    },
    leave(id, job) {
      if (jobs.get(id) === job) jobs.delete(id);
    },
    lose: (id) => jobs.get(id)?.abort('lost'),
    stopAll() {
      for (const job of jobs.values()) job.abort('shutdown');
    },
  };
}

function createRunningJob(): RunningJob {
  const controller = new AbortController();
  const { promise: stopped, resolve } = Promise.withResolvers<'stopped'>();
  let stopping = false;
  return {
    signal: controller.signal,
    stopped,
    stopping: () => stopping,
    abort(reason) {
      controller.abort(
        new Error(reason === 'shutdown' ? 'the service stops' : 'the job was given to another worker'),
      );
      if (reason !== 'shutdown' || stopping) return;
      stopping = true;
      void sleep(STOP_GRACE_MS, 'stopped' as const, { ref: false }).then(resolve);
    },
  };
}
