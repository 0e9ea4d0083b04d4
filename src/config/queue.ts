import { serverAddress } from './address.ts';
import { bytes, integer, type Read, text } from './setting.ts';

export interface QueueConfig {
  /** Null: the queue lives in the database. */
  readonly redisUrl: string | null;
  /** The Redis of the cache; null: that of the queue. */
  readonly cacheUrl: string | null;
  /** What each process keeps of the cache itself. */
  readonly cacheBytes: number;
  /** Begins every queue's name, so that several installations share a server. */
  readonly prefix: string;
  /** Jobs of one kind at work in one process. */
  readonly concurrency: number;
  /** Tries of a job in all. */
  readonly attempts: number;
  /** How long a job belongs to a process that gives no sign of life. */
  readonly lockMs: number;
  readonly backoff: { readonly baseMs: number; readonly maxMs: number };
}

export const QUEUE = {
  redisUrl: serverAddress('REDIS_URL', ['redis', 'rediss'], {
    description:
      'Redis 6.2 or newer with maxmemory-policy noeviction; the queue is in the database when not set.',
    expected: 'redis://host:port or rediss://user:password@host:port',
    secret: true,
  }),
  cacheUrl: serverAddress('REDIS_CACHE_URL', ['redis', 'rediss'], {
    description: 'Another Redis for cached galleries, which may evict; that of REDIS_URL when not set.',
    expected: 'redis://host:port or rediss://user:password@host:port',
    secret: true,
  }),
  cacheBytes: bytes('METADATA_CACHE_SIZE', {
    description:
      'Galleries that each process keeps, by their size as JSON; about three times that in memory.',
    default: 16 * 1024 ** 2,
    min: 0,
    max: 16 * 1024 ** 3,
  }),
  prefix: text('QUEUE_PREFIX', {
    description:
      'Begins the name of every queue, and of every key in Redis, so that several installations share a server.',
    default: 'localex',
    expected: '1 to 40 letters, digits, hyphens and underscores',
    accepts: (value) => /^[\w-]{1,40}$/.test(value),
  }),
  concurrency: integer('QUEUE_CONCURRENCY', {
    description: 'Jobs of one kind that one process works on at a time.',
    default: 4,
    min: 1,
    max: 200,
  }),
  attempts: integer('QUEUE_ATTEMPTS', {
    description: 'Tries of a job in all.',
    default: 5,
    min: 1,
    max: 50,
  }),
  lockMs: integer('QUEUE_LOCK_MS', {
    description: 'Milliseconds a job belongs to a process that gives no sign of life.',
    default: 6000,
    min: 1000,
    max: 600_000,
  }),
  backoffBaseMs: integer('QUEUE_BACKOFF_BASE_MS', {
    description: 'Milliseconds before a second try at most; doubles with each try.',
    default: 1000,
    min: 1,
    max: 600_000,
  }),
  backoffMaxMs: integer('QUEUE_BACKOFF_MAX_MS', {
    description: 'Milliseconds before any further try at most.',
    default: 60_000,
    min: 1,
    max: 86_400_000,
  }),
};

export function readQueue(read: Read): QueueConfig {
  return {
    redisUrl: read(QUEUE.redisUrl),
    cacheUrl: read(QUEUE.cacheUrl),
    cacheBytes: read(QUEUE.cacheBytes),
    prefix: read(QUEUE.prefix),
    concurrency: read(QUEUE.concurrency),
    attempts: read(QUEUE.attempts),
    lockMs: read(QUEUE.lockMs),
    backoff: { baseMs: read(QUEUE.backoffBaseMs), maxMs: read(QUEUE.backoffMaxMs) },
  };
}
