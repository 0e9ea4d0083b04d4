import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type BullmqQueueOptions, createBullmqQueue } from '#src/adapters/job-queue/bullmq.ts';
import type { JobQueue } from '#src/ports/job-queue.ts';
import { recordingLog } from '#test/support/recording-log.ts';
import { type Delivery, parseDelivery, type WorkerOptions } from './job-queue-worker-options.ts';

/** The server under a queue. */
export interface QueueServer {
  readonly connection: WorkerOptions['connection'];
  /** Where no server answers. */
  readonly unreachable: BullmqQueueOptions['connection'];
  /** Ends the server; its jobs may be gone. */
  halt(): Promise<void>;
  /** Starts it again at the same place. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** What a contract is run on. With `missing` it is skipped, saying so in its name. */
export interface QueueProduct {
  readonly product: string;
  readonly start: () => Promise<QueueServer>;
  readonly missing?: string | undefined;
}

export const LOCK_MS = 1_500;
const WORKER = new URL('./job-queue-worker.ts', import.meta.url).pathname;

export const one = { concurrency: 1 };
export const patient = { timeout: 10_000, interval: 20 };

export function job(fileId: string) {
  return { fileId, generation: 1 };
}

export function skipNote(missing: string | undefined): string {
  return missing === undefined ? '' : ` (skipped: ${missing})`;
}

/** Everything enqueued before is over once a job behind it has run: there is one worker, and pauses are shorter. */
export async function settled(queue: JobQueue): Promise<void> {
  const last = Promise.withResolvers<void>();
  await queue.enqueue('scan-document', job('last'), { delayMs: 300, priority: 100 });
  await queue.work('scan-document', async () => last.resolve(), one);
  await last.promise;
}

/** Starts the server for the tests around, and ends after each test the queues and processes it has opened. */
export function useQueues(start: () => Promise<QueueServer>) {
  let running: QueueServer | undefined;
  let prefix = '';
  let log = recordingLog();
  const opened: JobQueue[] = [];
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    running = await start();
  }, 60_000);
  afterAll(() => running?.stop());
  beforeEach(() => {
    prefix = `test-${randomUUID()}`;
    log = recordingLog();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await Promise.all(opened.splice(0).map((queue) => queue.close(0)));
  });

  const common = () => ({
    connection: queues.server.connection,
    prefix,
    attempts: 3,
    lockMs: LOCK_MS,
    backoff: { baseMs: 50, maxMs: 200 },
  });

  const queues = {
    get server(): QueueServer {
      if (running === undefined) throw new Error('Expected a server that has been started');
      return running;
    },
    get log() {
      return log;
    },

    async open(changes: Partial<BullmqQueueOptions> = {}): Promise<JobQueue> {
      const queue = await createBullmqQueue({ ...common(), log, ...changes });
      opened.push(queue);
      return queue;
    },

    /** A process of its own that takes ingest jobs, until it is killed. */
    startWorker(attempts: number, dies: boolean) {
      const options: WorkerOptions = { ...common(), attempts, dies };
      const child = spawn(process.execPath, [WORKER, JSON.stringify(options)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(child);
      const deliveries: Delivery[] = [];
      createInterface({ input: child.stdout }).on('line', (line) => deliveries.push(parseDelivery(line)));
      return { child, deliveries, exited: once(child, 'exit') };
    },
  };
  return queues;
}
