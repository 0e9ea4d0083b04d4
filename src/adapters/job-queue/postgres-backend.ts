import pg from 'pg';
import type { Log } from '#src/ports/log.ts';
import type { Backend } from './backend.ts';
import { createErrorLog } from './error-log.ts';
import { JOB_KINDS } from './payloads.ts';
import { sharePool } from './shared-pool.ts';
import { EVENTS_KEPT, whenReady, workerOptions } from './worker-options.ts';

/** BullMQ's own schema beside the product's tables. */
const SCHEMA = 'bullmq';
/** Jobs are announced by NOTIFY and delayed ones timed; this poll only mends a lost announcement. Seconds. */
const POLL_SECONDS = 30;
const CONNECT_TIMEOUT_MS = 5_000;
const QUERY_TIMEOUT_MS = 10_000;
/** Connections beside the one that each worker listens on. */
const QUERY_CONNECTIONS = 5;

/**
 * BullMQ on PostgreSQL ≥ 14. Creates or updates BullMQ's schema, so the role may create one in its database. LISTEN
 * and settings by connection must pass: no transaction pooler in between.
 *
 * Its connections commit asynchronously: a crash of the server may forget the last fraction of a second of the queue
 * (never of the rows, which have connections of their own), which the port allows.
 */
export async function connectPostgres(config: pg.PoolConfig, log: Log): Promise<Backend> {
  const { createPostgresBackend, isPgPool, Queue, runMigrations, Worker } = await import('bullmq');
  const onError = createErrorLog(log, 'the job queue complains');
  const pool = new pg.Pool({
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'localex-storage queue',
    ...config,
    max: JOB_KINDS + QUERY_CONNECTIONS,
    options: `${config.options ?? ''} -c search_path=${SCHEMA} -c synchronous_commit=off`.trim(),
  });
  pool.on('error', onError);
  try {
    await migrate(pool, runMigrations);
  } catch (error) {
    await pool.end();
    throw error;
  }

  const connection: unknown = sharePool(pool, onError);
  if (!isPgPool(connection)) throw new TypeError('BullMQ does not know this pool.');

  return {
    name: 'bullmq-postgres',
    openQueue(name) {
      const queue = new Queue(
        name,
        { connection, streams: { events: { maxLen: EVENTS_KEPT } } },
        createPostgresBackend,
      );
      queue.on('error', onError);
      return queue;
    },
    async startWorker(name, processor, settings) {
      const worker = new Worker(
        name,
        processor,
        { ...workerOptions(settings), connection, drainDelay: POLL_SECONDS },
        createPostgresBackend,
      );
      worker.on('error', onError);
      worker.on('lockRenewalFailed', settings.onLost);
      return await whenReady(worker);
    },
    async ping() {
      await pool.query('SELECT 1');
    },
    close: () => pool.end(),
  };
}

async function migrate(
  pool: pg.Pool,
  runMigrations: (client: pg.PoolClient, schema: string) => Promise<number>,
): Promise<void> {
  const client = await pool.connect();
  try {
    await runMigrations(client, SCHEMA);
  } finally {
    client.release();
  }
}
