import { StorageError } from '#src/domain/errors.ts';
import type { Log } from '#src/ports/log.ts';
import { addressOf, refusal } from './refusal.ts';
import { factsIn, type ServerFacts } from './server-facts.ts';

/** Streams, `LMOVE` and `GETEX` as BullMQ recommends them (its `RedisConnection.recommendedMinimumVersion`). */
const OLDEST = [6, 2] as const;
const ANSWER_MS = 5_000;
/** A server that has just been started reads its data first. */
const LIMIT_MS = 15_000;

/** What a server is used for: a queue may lose nothing that it has taken in, a cache may. */
export type RedisUse = 'queue' | 'cache';

export interface RedisToCheck {
  /** The setting that names the server. */
  readonly variable: string;
  readonly url: string;
  readonly use: RedisUse;
}

/**
 * Connects once as the service will, and looks at how the server is set up. What only costs time after a crash is a
 * warning. Errors, each with the setting and what to do about it: INVALID_CONFIGURATION when the server cannot be used
 * so, QUEUE_UNAVAILABLE when it does not answer.
 */
export async function checkRedis(server: RedisToCheck, log: Log): Promise<void> {
  const facts = factsIn(await ask(server));
  const problem = problemWith(facts, server.use);
  if (problem !== null)
    throw new StorageError(
      'INVALID_CONFIGURATION',
      `The Redis of ${server.variable}, ${addressOf(server.url)}, ${problem}`,
    );
  for (const warning of warningsAbout(facts, server.use)) log.warn({ setting: server.variable }, warning);
}

/** What keeps a server from being used, to be read after its address; null when nothing does. */
export function problemWith(facts: ServerFacts, use: RedisUse): string | null {
  if (isOlder(facts.version, OLDEST))
    return `is version ${facts.version.join('.')}: ${OLDEST.join('.')} or newer is needed.`;
  if (facts.isCluster)
    return 'is a node of a cluster, where the keys of a queue would lie apart: name a server without cluster mode.';
  if (facts.isReplica) return 'is a replica, which takes no writes: name its primary.';
  if (use === 'queue' && facts.evictionPolicy !== null && facts.evictionPolicy !== 'noeviction')
    return (
      `has maxmemory-policy ${facts.evictionPolicy}: when its memory is full it would remove jobs. ` +
      'Set it to noeviction ("CONFIG SET maxmemory-policy noeviction", in redis.conf or in the parameter group).'
    );
  return null;
}

function warningsAbout(facts: ServerFacts, use: RedisUse): readonly string[] {
  if (use === 'cache') return [];
  const warnings: string[] = [];
  if (facts.evictionPolicy === null)
    warnings.push('Redis does not tell its maxmemory-policy; it has to be noeviction');
  if (!facts.persists)
    warnings.push(
      'Redis keeps nothing on disk: after its restart jobs are delivered again from the database, which takes a while; appendonly yes avoids that',
    );
  return warnings;
}

function isOlder(version: readonly number[], than: readonly number[]): boolean {
  const [major = 0, minor = 0] = version;
  const [oldestMajor = 0, oldestMinor = 0] = than;
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}

/** INFO, and whether snapshots are taken, which INFO does not tell and managed services may not say. */
async function ask(server: RedisToCheck): Promise<string> {
  const { Redis } = await import('ioredis');
  const client = new Redis(server.url, {
    lazyConnect: true,
    connectTimeout: ANSWER_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectionName: 'localex-storage-check',
  });
  // A connection that fails tells here why, and "Connection is closed." everywhere else.
  const failed = new Promise<never>((_resolve, reject) => client.on('error', reject));
  const late = AbortSignal.timeout(LIMIT_MS);
  const tooLate = new Promise<never>((_resolve, reject) => {
    late.addEventListener('abort', () => reject(new Error(`no answer within ${LIMIT_MS / 1000} s`)));
  });
  failed.catch(() => {});
  tooLate.catch(() => {});
  const asking = async () => {
    await client.connect();
    const info = await client.info();
    const saves = await client.config('GET', 'save').then(String, () => null);
    return saves === null ? info : `${info}\r\nsave:${saves.replace(/^save,?/, '')}`;
  };
  const answer = asking();
  answer.catch(() => {});
  try {
    return await Promise.race([
      failed,
      tooLate,
      answer.catch((error) => (isReply(error) ? Promise.reject(error) : failed)),
    ]);
  } catch (error) {
    throw refusal(error, server);
  } finally {
    client.disconnect();
  }
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}
