import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { factsIn } from '#src/adapters/redis/server-facts.ts';
import { checkRedis, problemWith } from '#src/adapters/redis/start-check.ts';
import { StorageError } from '#src/domain/errors.ts';
import { recordingLog } from '#test/support/recording-log.ts';
import {
  hasRedisServer,
  makeCertificate,
  type RedisServer,
  type RedisServerOptions,
  startRedisServer,
} from '#test/support/redis-server.ts';

const PASSWORD = 'hidden-word';
const servers: RedisServer[] = [];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'localex-redis-'));
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await rm(folder, { recursive: true, force: true });
});

async function started(options: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedisServer(options);
  servers.push(server);
  return server;
}

const serverWith = (...settings: string[]) => started({ settings });

/** How a server is refused; null when it is not. Warnings go into `warnings`. */
async function refusal(url: string, warnings: string[] = []): Promise<StorageError | null> {
  const log = recordingLog();
  try {
    await checkRedis({ variable: 'REDIS_URL', url, use: 'queue' }, log);
    return null;
  } catch (error) {
    if (error instanceof StorageError) return error;
    throw error;
  } finally {
    warnings.push(...log.lines.map(({ message }) => message));
  }
}

const missing = hasRedisServer() ? '' : ' (redis-server is not installed)';

describe.skipIf(missing !== '')(`at its start the service looks at Redis${missing}`, () => {
  test.each(['allkeys-lru', 'volatile-ttl'])(
    'and refuses one that evicts by %s, saying why and what to set',
    async (policy) => {
      const server = await serverWith('--maxmemory-policy', policy);
      const error = await refusal(server.url);
      expect(error?.code).toBe('INVALID_CONFIGURATION');
      expect(error?.message).toBe(
        `The Redis of REDIS_URL, 127.0.0.1:${server.port}, has maxmemory-policy ${policy}: when its memory is full it would ` +
          'remove jobs. Set it to noeviction ("CONFIG SET maxmemory-policy noeviction", in redis.conf or in the parameter group).',
      );
    },
  );

  test('and takes one that evicts as a cache', async () => {
    const { url } = await serverWith('--maxmemory-policy', 'allkeys-lru');
    await expect(
      checkRedis({ variable: 'REDIS_CACHE_URL', url, use: 'cache' }, recordingLog()),
    ).resolves.toBeUndefined();
  });

  test('and warns of one that keeps nothing on disk, not of one that does', async () => {
    const warnings: string[] = [];
    const forgetful = await serverWith();
    expect(await refusal(forgetful.url, warnings)).toBeNull();
    expect(warnings).toEqual([expect.stringContaining('keeps nothing on disk')]);
    const durable = [
      await serverWith('--appendonly', 'yes', '--dir', folder),
      await serverWith('--save', '60 1', '--dir', folder),
    ];
    for (const { url } of durable) {
      const none: string[] = [];
      expect(await refusal(url, none)).toBeNull();
      expect(none).toEqual([]);
    }
  });

  test('and tells a replica and a node of a cluster from a server that can be used', async () => {
    const primary = await serverWith();
    const replica = await serverWith('--replicaof', `127.0.0.1 ${primary.port}`);
    expect((await refusal(replica.url))?.message).toContain(
      'is a replica, which takes no writes: name its primary.',
    );
    const node = await serverWith('--cluster-enabled', 'yes', '--dir', folder);
    expect((await refusal(node.url))?.message).toContain('is a node of a cluster');
  });

  test('with user, password and database of the address, and shows none of them when they are wrong', async () => {
    const acl = `--user localex on >${PASSWORD} ~* &* +@all`;
    const server = await serverWith('--requirepass', PASSWORD, ...acl.split(' '));
    const at = `127.0.0.1:${server.port}`;
    expect(await refusal(`redis://localex:${PASSWORD}@${at}/2`)).toBeNull();
    const none = await refusal(`redis://${at}`);
    expect(none?.message).toContain('asks for a password: write it into REDIS_URL');
    const wrong = await refusal(`redis://localex:not-the-${PASSWORD}@${at}`);
    expect(wrong?.message).toBe(
      `The Redis of REDIS_URL, ${at}, refuses the user or the password of REDIS_URL.`,
    );
    const database = await refusal(`redis://localex:${PASSWORD}@${at}/99`);
    expect(database?.message).toContain('has no database of the number in REDIS_URL.');
    for (const error of [none, wrong, database]) {
      expect(error?.code).toBe('INVALID_CONFIGURATION');
      expect(error?.cause).toBeUndefined();
      expect(String(error?.stack)).not.toContain(PASSWORD);
    }
  });

  test('over TLS, whose certificate has to be trusted', async () => {
    const server = await started({ tls: makeCertificate(folder) });
    const error = await refusal(server.url);
    expect(error?.code).toBe('INVALID_CONFIGURATION');
    expect(error?.message).toContain('name its authority in NODE_EXTRA_CA_CERTS');
    expect((await refusal(`redis://127.0.0.1:${server.port}`))?.message).toContain(
      'write rediss:// instead of redis://',
    );
  });

  test('and says which setting to correct when nobody answers', async () => {
    const error = await refusal('redis://127.0.0.1:1');
    expect(error?.code).toBe('QUEUE_UNAVAILABLE');
    expect(error?.message).toContain('The Redis of REDIS_URL, 127.0.0.1:1, does not answer (ECONNREFUSED).');
  });
});

test.each([
  ['5.0.14', 'is version 5.0.14: 6.2 or newer is needed.'],
  ['6.0.16', 'is version 6.0.16: 6.2 or newer is needed.'],
  ['6.2.0', null],
  ['10.1.0', null],
])('a Redis of version %s is refused or taken by the commands that it knows', (version, problem) => {
  const info = `# Server\r\nredis_version:${version}\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n`;
  expect(problemWith(factsIn(info), 'queue')).toBe(problem);
});
