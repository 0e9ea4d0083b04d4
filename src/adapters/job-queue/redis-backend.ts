import type { Log } from '#src/ports/log.ts';
import type { Backend } from './backend.ts';
import { createErrorLog } from './error-log.ts';
import { EVENTS_KEPT, whenReady, workerOptions } from './worker-options.ts';

/** How long a worker blocks for a job before it asks again; longer blocks are lost on a broken connection. Seconds. */
const BLOCK_SECONDS = 10;
const COMMAND_TIMEOUT_MS = 5_000;

/**
 * BullMQ on Redis ≥ 6.2 with `maxmemory-policy noeviction`. Two connections and one more for each worker that waits.
 * Producers fail within seconds while Redis is away; workers wait for its return.
 */
export async function connectRedis(redisUrl: string, log: Log): Promise<Backend> {
  const [{ Queue, Worker }, { Redis }] = await Promise.all([import('bullmq'), import('ioredis')]);
  const onError = createErrorLog(log, 'the job queue complains');
  const common = {
    lazyConnect: true,
    connectTimeout: COMMAND_TIMEOUT_MS,
    connectionName: 'localex-storage-queue',
  };
  const producer = new Redis(redisUrl, {
    ...common,
    maxRetriesPerRequest: 1,
    commandTimeout: COMMAND_TIMEOUT_MS,
  });
  const consumer = new Redis(redisUrl, { ...common, maxRetriesPerRequest: null });
  for (const connection of [producer, consumer]) connection.on('error', onError);
  const disconnect = () => {
    producer.disconnect();
    consumer.disconnect();
  };
  try {
    await Promise.all([producer.connect(), consumer.connect()]);
  } catch (error) {
    disconnect();
    throw error;
  }

  return {
    name: 'bullmq-redis',
    openQueue(name) {
      const queue = new Queue(name, { connection: producer, streams: { events: { maxLen: EVENTS_KEPT } } });
      queue.on('error', onError);
      return queue;
    },
    async startWorker(name, processor, settings) {
      const worker = new Worker(name, processor, {
        ...workerOptions(settings),
        connection: consumer,
        drainDelay: BLOCK_SECONDS,
      });
      worker.on('error', onError);
      worker.on('lockRenewalFailed', settings.onLost);
      return await whenReady(worker);
    },
    async ping() {
      await producer.ping();
    },
    async close() {
      disconnect();
    },
  };
}
