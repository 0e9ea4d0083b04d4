import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type pg from 'pg';
import { createMemoryCache } from '../adapters/cache/memory.ts';
import { createRedisCache } from '../adapters/cache/redis.ts';
import { createBullmqQueue } from '../adapters/job-queue/bullmq.ts';
import { createKmsKeyVault } from '../adapters/keys/kms.ts';
import { createLocalKeyVault } from '../adapters/keys/local.ts';
import { createMemoryRateLimiter } from '../adapters/rate-limiter/memory.ts';
import { createPostgresRateLimiter } from '../adapters/rate-limiter/postgres.ts';
import { createRedisRateLimiter } from '../adapters/rate-limiter/redis.ts';
import { createSideConnection } from '../adapters/redis/side-connection.ts';
import { checkRedis } from '../adapters/redis/start-check.ts';
import { createBasicScanner } from '../adapters/scanner/basic.ts';
import { loadKnownHashes } from '../adapters/scanner/basic/known-hashes.ts';
import { createClamdScanner } from '../adapters/scanner/clamd.ts';
import type { Config } from '../config/index.ts';
import { createImageEngine } from '../images/engine.ts';
import type { AccessLogs } from '../ports/access-logs.ts';
import type { Arrivals } from '../ports/arrivals.ts';
import type { Cache } from '../ports/cache.ts';
import { systemClock } from '../ports/clock.ts';
import type { ImageEngine } from '../ports/image-engine.ts';
import type { JobQueue } from '../ports/job-queue.ts';
import type { KeyVault } from '../ports/key-vault.ts';
import type { Log } from '../ports/log.ts';
import type { Scanner } from '../ports/scanner.ts';

/** Who tells of what arrives in the bucket; null when only clients and the sweep do. */
export async function createArrivals({ integrations, s3 }: Config, log: Log): Promise<Arrivals | null> {
  const { eventsQueueUrl } = integrations;
  if (eventsQueueUrl === null) return null;
  // Only who uses the SDK pays for loading it.
  const { createSqsArrivals } = await import('../adapters/arrivals/sqs.ts');
  return createSqsArrivals({ queueUrl: eventsQueueUrl, bucket: s3.bucket, region: s3.region, log });
}

/** CloudFront's access log; null where the edge counts by itself or the log is not read. */
export async function createAccessLogs({ cdn, s3 }: Config): Promise<AccessLogs | null> {
  if (cdn.logs === null || cdn.url === null) return null;
  const { createS3AccessLogs } = await import('../adapters/access-logs/s3.ts');
  const { region, endpoint, forcePathStyle } = s3;
  return createS3AccessLogs({ ...cdn.logs, cdnUrl: cdn.url, region, endpoint, forcePathStyle });
}

/** BullMQ on Redis when there is one that is set up for it, else on the database. */
export async function createQueue(config: Config, connection: pg.ClientConfig, log: Log): Promise<JobQueue> {
  const { redisUrl, prefix, attempts, lockMs, backoff } = config.queue;
  if (redisUrl !== null) await checkRedis({ variable: 'REDIS_URL', url: redisUrl, use: 'queue' }, log);
  return createBullmqQueue({
    connection: redisUrl === null ? { postgres: connection } : { redisUrl },
    prefix,
    attempts,
    lockMs,
    backoff,
    log,
  });
}

/** Counters where the configuration says. On PostgreSQL those of uploads alone: each count is a write. */
export async function createRateLimiters({ limits, queue }: Config, connection: pg.ClientConfig, log: Log) {
  const { fallback, store } = limits;
  const requests = createMemoryRateLimiter();
  if (store === 'postgres')
    return { requests, uploads: createPostgresRateLimiter({ connection, fallback, log }) };
  if (store === 'memory' || queue.redisUrl === null) return { requests, uploads: requests };
  const shared = createRedisRateLimiter({
    connection: await createSideConnection({ url: queue.redisUrl, purpose: 'limits', log }),
    prefix: queue.prefix,
    fallback,
  });
  return { requests: shared, uploads: shared };
}

/** Image processes, started as they are needed. */
export function createImages({ images, s3 }: Config, log: Log): ImageEngine {
  return createImageEngine({
    processes: images.processes,
    idleMs: images.idleMs,
    maxPixels: images.maxPixels,
    maxBytes: s3.maxFileSize,
    formats: { heic: images.heic, avif: images.avif },
    encoder: images.encoder,
    openTimeoutMs: images.stepTimeoutMs,
    memoryLimitMb: images.memoryLimitMb,
    log,
  });
}

/**
 * In Redis where there is one, before it a small one in this process. Who can write to that Redis only, cannot make values: they
 * are proved with what all processes know of the database, or with the secret of the folder that they share.
 */
export async function createCache(
  { database, queue }: Config,
  secrets: (purpose: 'cache') => Uint8Array,
  log: Log,
): Promise<Cache> {
  const { cacheBytes: maxBytes, cacheUrl, redisUrl, prefix } = queue;
  const url = cacheUrl ?? redisUrl;
  if (url === null) return createMemoryCache({ maxBytes });
  if (cacheUrl !== null) await checkRedis({ variable: 'REDIS_CACHE_URL', url, use: 'cache' }, log);
  const connection = await createSideConnection({ url, purpose: 'cache', log });
  const secret =
    database.url === null ? secrets('cache') : createHash('sha256').update(`cache ${database.url}`).digest();
  return createRedisCache({ connection, prefix, secret, maxBytes });
}

export async function createKeyVault(config: Config): Promise<KeyVault> {
  const { keys, integrations, s3 } = config;
  if (integrations.keys === 'kms')
    return createKmsKeyVault({
      keyId: integrations.kmsKeyId ?? '',
      region: keys.kmsRegion ?? s3.region,
      ...(keys.kmsEndpoint !== null && { endpoint: keys.kmsEndpoint }),
    });
  return createLocalKeyVault({ path: join(config.server.dataDir, 'vault.key') });
}

/** clamd where it is named, else the basic scanner. INVALID_CONFIGURATION when its list of hashes is not one. */
export async function createScanner({ safety, s3 }: Config): Promise<Scanner> {
  const maxBytes = s3.maxFileSize;
  if (safety.clamdUrl !== null)
    return createClamdScanner({
      url: safety.clamdUrl,
      connections: safety.clamdConnections,
      timeoutMs: safety.checkTimeoutMs,
      maxBytes,
      signatures: safety.signatures,
      clock: systemClock,
    });
  if (safety.knownHashesFile === null) return createBasicScanner({ maxBytes });
  const knownHashes = await loadKnownHashes(safety.knownHashesFile, 'SCANNER_KNOWN_HASHES_FILE');
  return createBasicScanner({ maxBytes, knownHashes });
}
