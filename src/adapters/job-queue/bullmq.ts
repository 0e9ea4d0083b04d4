import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { StorageError } from '#src/domain/errors.ts';
import type { EnqueueOptions, JobName, JobQueue } from '#src/ports/job-queue.ts';
import type { Log } from '#src/ports/log.ts';
import type { Backend, QueueHandle, WorkerHandle } from './backend.ts';
import type { BackoffLimits } from './backoff.ts';
import { connectPostgres } from './postgres-backend.ts';
import {
  createProcessor,
  createRunningJobs,
  type RunningJobs,
  STOP_GRACE_MS,
  type Verdicts,
} from './processor.ts';
import { connectRedis } from './redis-backend.ts';

export interface BullmqQueueOptions {
  readonly connection: { readonly redisUrl: string } | { readonly postgres: pg.PoolConfig };
  /** Begins every queue's name, so that several installations share a server. Letters, digits, "-" and "_". */
  readonly prefix: string;
  /** Tries in all, the first included. */
  readonly attempts: number;
  /**
   * How long a job belongs to a process that gives no sign of life; renewed at half of it. What a killed process
   * held is delivered again after at most lockMs · 5/3. 6000 is recommended: shorter, and a busy event loop loses jobs.
   */
  readonly lockMs: number;
  readonly backoff: BackoffLimits;
  readonly log: Log;
}

const DEFAULT_PRIORITY = 10;
/** BullMQ's own bound. */
const MAX_PRIORITY = 2 ** 21 - 1;
/** Deliveries of an exhausted job, so that its handler can conclude, before BullMQ itself ends it. */
const CONCLUDING_TRIES = 3;
const DEFAULT_CLOSE_MS = 10_000;
const DISCONNECT_MS = 2_000;

/**
 * A job queue on BullMQ, on PostgreSQL or on Redis. Finished jobs are removed at once, failed ones too: their reason
 * is in the row, and the same `dedupeId` may be enqueued again.
 *
 * @throws StorageError QUEUE_UNAVAILABLE when the server does not answer or refuses.
 */
export async function createBullmqQueue(options: BullmqQueueOptions): Promise<JobQueue> {
  const { connection, prefix, attempts, lockMs, backoff, log } = options;
  if (!/^[\w-]+$/.test(prefix))
    throw new StorageError('INVALID_CONFIGURATION', 'The prefix of the queues is not valid.');
  const backend = await available(() =>
    'redisUrl' in connection
      ? connectRedis(connection.redisUrl, log)
      : connectPostgres(connection.postgres, log),
  );
  const verdicts = await loadVerdicts();
  const queues = new Map<JobName, QueueHandle>();
  const workers = new Map<JobName, { readonly running: RunningJobs; worker?: WorkerHandle }>();
  let closing: Promise<void> | undefined;

  const queueName = (name: JobName) => `${prefix}-${name}`;
  const queueOf = (name: JobName) => {
    const queue = queues.get(name) ?? backend.openQueue(queueName(name));
    queues.set(name, queue);
    return queue;
  };
  const refuseWhenClosed = () => {
    if (closing !== undefined) throw new StorageError('QUEUE_UNAVAILABLE', 'The job queue is closed.');
  };

  return {
    name: backend.name,
    async enqueue(name, payload, choices = {}) {
      refuseWhenClosed();
      const jobOptions = { ...jobOptionsOf(choices), attempts, backoff: { type: 'full-jitter' } };
      await available(() => queueOf(name).add(name, payload, jobOptions));
    },
    async work(name, handler, { concurrency }) {
      refuseWhenClosed();
      if (workers.has(name))
        throw new StorageError('CONFLICT', `There is a worker for ${name} jobs already.`);
      const running = createRunningJobs();
      const entry: { readonly running: RunningJobs; worker?: WorkerHandle } = { running };
      workers.set(name, entry);
      const processor = createProcessor({ name, handler, attempts, running, verdicts, log });
      const maxStalledCount = attempts + CONCLUDING_TRIES - 1;
      const onLost = (ids: readonly string[]) => ids.forEach((id) => running.lose(id));
      const settings = { concurrency, lockMs, maxStalledCount, backoff, onLost };
      const worker = await available(() => backend.startWorker(queueName(name), processor, settings));
      entry.worker = worker;
      if (closing !== undefined) await worker.close();
    },
    async ping(signal) {
      refuseWhenClosed();
      await available(() => abortable(backend.ping(), signal));
    },
    close(deadlineMs = DEFAULT_CLOSE_MS) {
      closing ??= (async () => {
        const drained = Promise.all(
          [...workers.values()].flatMap(({ worker }) => (worker === undefined ? [] : [worker.close()])),
        );
        if (!(await settlesWithin(drained, deadlineMs))) {
          for (const { running } of workers.values()) running.stopAll();
          if (!(await settlesWithin(drained, STOP_GRACE_MS + DISCONNECT_MS)))
            log.warn(
              {},
              'the job queue does not answer at shutdown; its jobs wait for their locks to expire',
            );
        }
        await disconnect(backend, [...queues.values()], log);
      })();
      return closing;
    },
  };
}

async function loadVerdicts(): Promise<Verdicts> {
  const { UnrecoverableError, WaitingError } = await import('bullmq');
  return {
    unrecoverable: (message) => new UnrecoverableError(message),
    handedBack: () => new WaitingError(),
  };
}

function jobOptionsOf({ dedupeId, delayMs = 0, priority = DEFAULT_PRIORITY }: EnqueueOptions) {
  const valid =
    (dedupeId === undefined || (dedupeId !== '' && !dedupeId.includes(':'))) &&
    Number.isSafeInteger(delayMs) &&
    delayMs >= 0 &&
    Number.isInteger(priority) &&
    priority >= 0 &&
    priority <= MAX_PRIORITY;
  if (!valid)
    throw new StorageError('INVALID_REQUEST', 'The job cannot be enqueued so.', {
      details: { dedupeId, delayMs, priority },
    });
  return {
    delay: delayMs,
    priority,
    removeOnComplete: true,
    removeOnFail: true,
    ...(dedupeId === undefined ? {} : { deduplication: { id: dedupeId } }),
  };
}

async function available<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw new StorageError('QUEUE_UNAVAILABLE', undefined, { cause: error });
  }
}

async function abortable(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return await work;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    work.catch(() => {});
  }
}

async function disconnect(backend: Backend, queues: readonly QueueHandle[], log: Log): Promise<void> {
  const closed = Promise.all(queues.map((queue) => queue.close())).then(() => backend.close());
  if (!(await settlesWithin(closed, DISCONNECT_MS)))
    log.warn({}, 'the connections of the job queue do not close');
}

/** False when the time is over first; a failure counts as settled. */
async function settlesWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const settled = work.then(
    () => true,
    () => true,
  );
  const late = sleep(ms, false, { signal: timer.signal }).catch(() => false);
  try {
    return await Promise.race([settled, late]);
  } finally {
    timer.abort();
  }
}
