import { describe, expect, test } from 'vitest';
import { ADAPTERS } from '#src/config/adapters.ts';
import { addressesOf, loadConfig, SETTINGS } from '#src/config/index.ts';
import type { Environment } from '#src/config/report.ts';
import { S3_DEFAULTS } from '#src/config/s3.ts';
import { DEFAULT_ENCODER } from '#src/domain/renditions.ts';
import { refusal } from './refusal.ts';

const PRODUCTION = {
  NODE_ENV: 'production',
  AUTH_JWKS_URL: 'https://id.example.org/keys',
  AUTH_ISSUER: 'https://id.example.org/',
  AUTH_AUDIENCE: 'localex-storage',
  CLAMD_URL: 'tcp://127.0.0.1:3310',
};

test('an empty environment is a whole service on this machine', () => {
  expect(loadConfig({})).toMatchObject({
    server: {
      production: false,
      host: '127.0.0.1',
      port: 8787,
      publicUrl: 'http://127.0.0.1:8787',
      dataDir: '.data',
      roles: ['http', 'worker', 'edge'],
      trustProxy: false,
    },
    database: { url: null },
    storage: { driver: 'filesystem', fsync: true },
    cdn: { driver: 'edge', url: 'http://127.0.0.1:8787/cdn', cloudfront: null },
    images: { heic: true, avif: true, maxPixels: 50_000_000, encoder: DEFAULT_ENCODER },
    queue: { redisUrl: null, attempts: 5 },
    safety: { scanner: 'basic', moderation: { detectors: ['local'], policyFile: null } },
    auth: { jwksUrl: null, devTokens: true },
    limits: { photosPerItem: 24, unfinishedPerOwner: 200 },
    lifecycle: { idempotencySeconds: 86_400, quarantineAfterSeconds: 21_600 },
  });
});

test('the figures of the bucket are those that were agreed', () => {
  expect(S3_DEFAULTS).toEqual({
    region: 'us-east-1',
    bucket: 'localex-storage',
    maxFileSize: 10 * 1024 * 1024,
    allowedTypes: ['image/jpeg', 'image/png', 'image/webp'],
    cdnUrl: 'https://cdn.localex.com',
  });
  expect(loadConfig({}).s3).toEqual({
    ...S3_DEFAULTS,
    endpoint: null,
    forcePathStyle: false,
    replica: null,
    checksums: 'when-supported',
    encryption: { kind: 'bucket' },
    features: ['conditional-create', 'storage-classes', 'restore', 'tags'],
  });
});

test('every variable overrides its default', () => {
  const config = loadConfig({
    HOST: '::1',
    PORT: ' 9000 ',
    ROLES: 'worker, http',
    DATABASE_URL: 'postgres://app:word@db.internal:5432/localex',
    TRUST_PROXY: '2',
    MAX_FILE_SIZE: '5 MiB',
    ALLOWED_TYPES: 'image/png,image/jpeg',
    S3_REPLICA_BUCKET: 'localex-copy',
    S3_REPLICA_REGION: 'eu-west-1',
    EDGE_CACHE_SIZE: '1048576',
    AVIF_OUTPUT: 'true',
    REDIS_URL: 'rediss://:word@redis.internal:6380/1',
    MODERATION_POLICY_FILE: '/etc/localex/moderation.json',
    CDN_URL: 'https://photos.example.org/',
  });
  expect(config).toMatchObject({
    server: {
      host: '::1',
      port: 9000,
      publicUrl: 'http://[::1]:9000',
      trustProxy: 2,
      roles: ['http', 'worker'],
    },
    database: { url: 'postgres://app:word@db.internal:5432/localex' },
    s3: {
      maxFileSize: 5_242_880,
      allowedTypes: ['image/jpeg', 'image/png'],
      replica: { bucket: 'localex-copy', region: 'eu-west-1' },
      cdnUrl: 'https://photos.example.org',
    },
    cdn: { hotCacheBytes: 1_048_576, url: 'https://photos.example.org' },
    images: { encoder: { avif: true } },
    queue: { redisUrl: 'rediss://:word@redis.internal:6380/1' },
    safety: { moderation: { policyFile: '/etc/localex/moderation.json' } },
  });
});

test('limits are counted in Redis where there is one, and only then', () => {
  const REDIS_URL = 'redis://redis.internal:6379';
  expect(loadConfig({}).limits.store).toBe('memory');
  expect(loadConfig({ REDIS_URL }).limits.store).toBe('redis');
  expect(loadConfig({ REDIS_URL, RATE_LIMIT_STORE: 'postgres' }).limits.store).toBe('postgres');
  const { message } = refusal({ RATE_LIMIT_STORE: 'redis', UPLOAD_BYTES_PER_HOUR: '5 MiB' });
  expect(message).toContain('RATE_LIMIT_STORE');
  expect(message).toContain('UPLOAD_BYTES_PER_HOUR');
});

test('a blank variable counts as missing', () => {
  expect(loadConfig({ PORT: '', DATABASE_URL: '  ', ROLES: undefined })).toEqual(loadConfig({}));
});

test('the addresses of a service on any free port are known once it listens', () => {
  const config = loadConfig({ PORT: '0' });
  expect(config).toMatchObject({ server: { publicUrl: null }, cdn: { url: null } });
  expect(addressesOf(config, 41_234)).toEqual({
    publicUrl: 'http://127.0.0.1:41234',
    cdnUrl: 'http://127.0.0.1:41234/cdn',
  });
  expect(addressesOf(loadConfig({ PORT: '0', PUBLIC_URL: 'https://photos.example.org/' }), 41_234)).toEqual({
    publicUrl: 'https://photos.example.org',
    cdnUrl: 'https://photos.example.org/cdn',
  });
});

test('all problems are reported at once, with variable, what it holds and what was expected', () => {
  const { message, problems } = refusal({
    PORT: '80a',
    ROLES: 'http,painter',
    PUBLIC_URL: 'photos.example.org',
    IMAGE_HEIC: 'yes',
    MAX_FILE_SIZE: '10 MB',
    DATABASE_URL: 'mysql://app:hunter2@db/localex',
    WEBHOOK_URL: 'https://hooks.example.org',
  });
  expect(problems.map(({ name }) => name).toSorted()).toEqual([
    'DATABASE_URL',
    'IMAGE_HEIC',
    'MAX_FILE_SIZE',
    'PORT',
    'PUBLIC_URL',
    'ROLES',
    'WEBHOOK_SECRET',
    'WEBHOOK_URL',
  ]);
  expect(message.split('\n')).toHaveLength(9);
  expect(message).toContain('PORT is "80a", expected a whole number from 0 to 65535');
  expect(message).toContain('ROLES is "http,painter", expected one or more of http, worker, edge');
  expect(message).toContain('DATABASE_URL is (set, 30 characters), expected postgres://');
  expect(message).toContain('WEBHOOK_SECRET is not set, expected a secret');
  expect(message).not.toContain('hunter2');
});

describe('what is only safe in development', () => {
  test('production needs an identity provider and a virus scanner', () => {
    expect(names({ NODE_ENV: 'production' })).toEqual([
      'AUTH_AUDIENCE',
      'AUTH_ISSUER',
      'AUTH_JWKS_URL',
      'CLAMD_URL',
    ]);
    expect(loadConfig(PRODUCTION).auth.devTokens).toBe(false);
  });

  test('production in a bucket needs the bucket’s name', () => {
    expect(names({ ...PRODUCTION, STORAGE_DRIVER: 's3' })).toEqual(['S3_BUCKET']);
    const config = loadConfig({ ...PRODUCTION, STORAGE_DRIVER: 's3', S3_BUCKET: 'shop-photos' });
    expect(config.s3.bucket).toBe('shop-photos');
  });

  test.each(['0.0.0.0', '::', '192.168.1.10', 'photos.example.org', '128.0.0.1'])(
    'without an identity provider nothing listens on %s',
    (HOST) => {
      expect(names({ HOST })).toEqual(['HOST']);
      const config = loadConfig({ HOST, AUTH_JWKS_URL: 'https://id.example.org/keys' });
      expect(config.auth.devTokens).toBe(false);
    },
  );

  test.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost'])('development tokens are given on %s', (HOST) => {
    expect(loadConfig({ HOST }).auth.devTokens).toBe(true);
  });

  test('an unknown NODE_ENV is refused, so that a slip of the pen is not development', () => {
    expect(names({ NODE_ENV: 'prodution' })).toEqual(['NODE_ENV']);
  });
});

test('roles that are split need a database that they share', () => {
  expect(names({ ROLES: 'worker' })).toEqual(['DATABASE_URL']);
  expect(names({ ROLES: 'http,edge' })).toEqual(['DATABASE_URL']);
  expect(loadConfig({ ROLES: 'edge,worker,http' }).server.roles).toHaveLength(3);
});

test.each(['unix://run/clamd.sock', 'unix://', 'unix:///', 'http://127.0.0.1:3310'])(
  '%s is no clamd',
  (CLAMD_URL) => expect(names({ CLAMD_URL })).toEqual(['CLAMD_URL']),
);

test('two settings that go together are both asked for', () => {
  expect(names({ CLAMD_URL: 'unix:///run/clamd.sock', SCANNER_KNOWN_HASHES_FILE: 'list.txt' })).toEqual([
    'SCANNER_KNOWN_HASHES_FILE',
  ]);
  expect(names({ S3_REPLICA_BUCKET: 'localex-copy' })).toEqual(['S3_REPLICA_REGION']);
  expect(names({ S3_REPLICA_REGION: 'eu-west-1' })).toEqual(['S3_REPLICA_BUCKET']);
  expect(names({ S3_REPLICA_ENDPOINT: 'https://s3.example.org' })).toEqual(['S3_REPLICA_BUCKET']);
  expect(names({ S3_SSE_KMS_KEY_ID: 'alias/localex' })).toEqual(['S3_SSE']);
  expect(names({ QUEUE_BACKOFF_BASE_MS: '2000', QUEUE_BACKOFF_MAX_MS: '1000' })).toEqual([
    'QUEUE_BACKOFF_MAX_MS',
  ]);
  expect(names({ CDN_DRIVER: 'cloudfront' }, { ...ADAPTERS, CDN: ['cloudfront'] })).toEqual([
    'CDN_URL',
    'CLOUDFRONT_DISTRIBUTION_ID',
    'CLOUDFRONT_KEY_PAIR_ID',
    'CLOUDFRONT_PRIVATE_KEY_FILE',
  ]);
});

describe('adapters', () => {
  const CASES: readonly [port: keyof typeof ADAPTERS, adapter: string, env: Environment, variable: string][] =
    [
      [
        'CDN',
        'cloudfront',
        {
          CDN_DRIVER: 'cloudfront',
          CDN_URL: 'https://d.example.org',
          CLOUDFRONT_DISTRIBUTION_ID: 'E1ABCDEFGHIJKL',
          CLOUDFRONT_KEY_PAIR_ID: 'K1ABCDEFGHIJKL',
          CLOUDFRONT_PRIVATE_KEY_FILE: 'cdn.pem',
        },
        'CDN_DRIVER',
      ],
      ['scanner', 'clamd', { CLAMD_URL: 'unix:///run/clamd.sock' }, 'CLAMD_URL'],
      ['moderator', 'rekognition', { MODERATION_DRIVER: 'rekognition' }, 'MODERATION_DRIVER'],
      ['search', 'opensearch', { OPENSEARCH_URL: 'http://127.0.0.1:9200' }, 'OPENSEARCH_URL'],
      ['key vault', 'kms', { KEYS_DRIVER: 'kms', KMS_KEY_ID: 'alias/localex' }, 'KEYS_DRIVER'],
      ['metrics', 'cloudwatch', { METRICS_CLOUDWATCH: 'true' }, 'METRICS_CLOUDWATCH'],
      [
        'arrival events',
        'sqs',
        { EVENTS_QUEUE_URL: 'https://sqs.example.org/1/arrivals' },
        'EVENTS_QUEUE_URL',
      ],
      [
        'notifications',
        'webhook',
        { WEBHOOK_URL: 'https://hooks.example.org', WEBHOOK_SECRET: 's'.repeat(32) },
        'WEBHOOK_URL',
      ],
    ];

  test.each(CASES)(
    '%s: %s can be chosen where this version has it, and only there',
    (port, adapter, env, variable) => {
      const without = { ...ADAPTERS, [port]: ADAPTERS[port].filter((name) => name !== adapter) };
      const { message, problems } = refusal(env, without);
      expect(problems.map(({ name }) => name)).toEqual([variable]);
      expect(message).toContain(`the only ${port} of this version`);
      expect(message).toContain(ADAPTERS[port][0]);
      expect(() => loadConfig(env, { ...ADAPTERS, [port]: [...ADAPTERS[port], adapter] })).not.toThrow();
    },
  );
});

test('every setting has a name of its own, a description and an expected form', () => {
  expect(new Set(SETTINGS.map(({ name }) => name)).size).toBe(SETTINGS.length);
  for (const setting of SETTINGS) {
    expect(setting.name).toMatch(/^[A-Z][A-Z\d_]*$/);
    expect(setting.description).toMatch(/^[A-Z].*\.$/);
    expect(setting.expected).not.toBe('');
    expect(setting.area).not.toBe('');
  }
});

const DEPENDS_ON_THE_MACHINE = ['IMAGE_PROCESSES'];
const WITH_PLAIN_DEFAULT = SETTINGS.filter(
  ({ name, defaultText }) => defaultText !== '' && !DEPENDS_ON_THE_MACHINE.includes(name),
);

test.each(WITH_PLAIN_DEFAULT)('the default of $name, as it is documented, is what it becomes', (setting) => {
  expect(setting.parse(setting.defaultText)).toEqual(setting.fallback());
});

test('the source of every setting is kept, and of secrets only their length', () => {
  const { sources } = loadConfig({ PORT: '9000', REDIS_URL: 'redis://:hunter2@127.0.0.1:6379' });
  expect(sources.map(({ name }) => name)).toEqual(SETTINGS.map(({ name }) => name));
  expect(sources).toContainEqual({ name: 'PORT', source: 'environment', shown: '"9000"' });
  expect(sources).toContainEqual({ name: 'HOST', source: 'default', shown: '127.0.0.1' });
  expect(sources).toContainEqual({ name: 'REDIS_URL', source: 'environment', shown: '(set, 31 characters)' });
});

function names(env: Environment, adapters?: Parameters<typeof loadConfig>[1]): readonly string[] {
  return refusal(env, adapters)
    .problems.map(({ name }) => name)
    .toSorted();
}
