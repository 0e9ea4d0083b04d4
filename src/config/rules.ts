import type { Adapters, Port } from './adapters.ts';
import { isLoopback } from './address.ts';
import { AUTH } from './auth.ts';
import { CDN } from './cdn.ts';
import { DATABASE } from './database.ts';
import type { Config } from './index.ts';
import { INTEGRATIONS } from './integrations.ts';
import { KEYS } from './keys.ts';
import { LIMITS } from './limits.ts';
import { QUEUE } from './queue.ts';
import { S3 } from './s3.ts';
import { SAFETY } from './safety.ts';
import { SEARCH } from './search.ts';
import { ROLES, SERVER } from './server.ts';
import type { Setting } from './setting.ts';
import { STORAGE } from './storage.ts';

/** What settings must be together. */
export interface Rule {
  /** The one to change. */
  readonly setting: Setting<unknown>;
  readonly isBroken: (config: Config, isSet: (setting: Setting<unknown>) => boolean) => boolean;
  /** To be read after "expected". */
  readonly expected: string;
}

const usesCloudfront = (config: Config) => config.cdn.driver === 'cloudfront';

/** KMS takes seven days to end a key (`adapters/keys/kms.ts`), and re-wrapping a day at most. */
const KEY_SLACK_DAYS = 8;

export const RULES: readonly Rule[] = [
  {
    setting: AUTH.jwksUrl,
    isBroken: ({ server, auth }) => server.production && auth.jwksUrl === null,
    expected: 'the address of the identity provider’s JWKS, since NODE_ENV is production',
  },
  {
    setting: AUTH.issuer,
    isBroken: ({ server, auth }) => server.production && auth.issuer === null,
    expected: 'the issuer of your tokens, since NODE_ENV is production',
  },
  {
    setting: AUTH.audience,
    isBroken: ({ server, auth }) => server.production && auth.audience === null,
    expected: 'the audience of your tokens, since NODE_ENV is production: tokens made for others would do',
  },
  {
    setting: SAFETY.clamdUrl,
    isBroken: ({ server, safety }) => server.production && safety.scanner === 'basic',
    expected:
      'the address of a clamd, since NODE_ENV is production and the basic scanner is no virus scanner',
  },
  {
    setting: SAFETY.clamdUrl,
    isBroken: ({ safety }) => /^unix:\/\/(?!\/[^/])/.test(safety.clamdUrl ?? ''),
    expected: 'unix:///path with three slashes for a socket of this machine',
  },
  {
    setting: SAFETY.knownHashesFile,
    isBroken: ({ safety }) => safety.scanner === 'clamd' && safety.knownHashesFile !== null,
    expected: 'nothing while CLAMD_URL is set: clamd reads such lists from its own folder (.hsb)',
  },
  {
    setting: SERVER.host,
    isBroken: ({ server, auth }) => !server.production && auth.jwksUrl === null && !isLoopback(server.host),
    expected: 'a loopback address such as 127.0.0.1 while AUTH_JWKS_URL is not set',
  },
  {
    setting: DATABASE.url,
    isBroken: ({ server, database }) => server.roles.length < ROLES.length && database.url === null,
    expected: 'a PostgreSQL that the other processes use too, since ROLES splits the work',
  },
  {
    setting: S3.bucket,
    isBroken: ({ server, storage }, isSet) =>
      server.production && storage.driver === 's3' && !isSet(S3.bucket),
    expected: 'the name of your bucket, since NODE_ENV is production and STORAGE_DRIVER is s3',
  },
  {
    setting: S3.replicaRegion,
    isBroken: (_, isSet) => isSet(S3.replicaBucket) && !isSet(S3.replicaRegion),
    expected: 'the region of S3_REPLICA_BUCKET',
  },
  {
    setting: S3.replicaBucket,
    isBroken: (_, isSet) => isSet(S3.replicaRegion) && !isSet(S3.replicaBucket),
    expected: 'the bucket in S3_REPLICA_REGION',
  },
  {
    setting: S3.encryption,
    isBroken: ({ s3 }, isSet) => isSet(S3.kmsKeyId) && s3.encryption.kind !== 'kms',
    expected: 'kms, since S3_SSE_KMS_KEY_ID names a key',
  },
  {
    setting: S3.replicaBucket,
    isBroken: (_, isSet) => isSet(S3.replicaEndpoint) && !isSet(S3.replicaBucket),
    expected: 'the bucket at S3_REPLICA_ENDPOINT',
  },
  ...[CDN.distributionId, CDN.keyPairId, CDN.privateKeyFile, CDN.url].map(
    (setting): Rule => ({
      setting,
      isBroken: (config, isSet) => usesCloudfront(config) && !isSet(setting),
      expected: 'a value, since CDN_DRIVER is cloudfront',
    }),
  ),
  {
    setting: CDN.logs,
    isBroken: (config) => config.cdn.logs !== null && !usesCloudfront(config),
    expected: 'nothing while CDN_DRIVER is edge, which counts views by itself',
  },
  {
    setting: CDN.url,
    isBroken: ({ cdn }, isSet) =>
      cdn.driver === 'cloudfront' && isSet(CDN.url) && cdn.url?.startsWith('https://') !== true,
    expected: 'an address that begins with https://, since CDN_DRIVER is cloudfront',
  },
  {
    setting: STORAGE.driver,
    isBroken: ({ cdn, server, storage }) =>
      server.production && cdn.driver === 'cloudfront' && storage.driver !== 's3',
    expected: 's3, since NODE_ENV is production and CDN_DRIVER is cloudfront, which serves a bucket',
  },
  {
    setting: CDN.geoDeny,
    isBroken: (_, isSet) => isSet(CDN.geoDeny) && isSet(CDN.geoAllow),
    expected: 'nothing while CDN_GEO_ALLOW is set',
  },
  {
    setting: SERVER.trustProxy,
    isBroken: ({ cdn, server }) =>
      cdn.driver === 'edge' && cdn.geo.kind !== 'everywhere' && server.trustProxy === false,
    expected:
      'the number of proxies in front, since CDN_GEO_ALLOW or CDN_GEO_DENY needs one that names the country',
  },
  {
    setting: INTEGRATIONS.kmsKeyId,
    isBroken: ({ integrations }) => integrations.keys === 'kms' && integrations.kmsKeyId === null,
    expected: 'the key to use, since KEYS_DRIVER is kms',
  },
  {
    setting: KEYS.lifetimeDays,
    isBroken: ({ keys }) => keys.lifetimeDays < keys.rotationDays + KEY_SLACK_DAYS,
    expected: `${KEY_SLACK_DAYS} more than KEY_ROTATION_DAYS at least: keys are re-wrapped before the old one ends`,
  },
  {
    setting: INTEGRATIONS.webhookSecret,
    isBroken: ({ integrations }) => integrations.notifications === 'webhook' && integrations.webhook === null,
    expected: 'a secret that signs what is posted to WEBHOOK_URL',
  },
  {
    setting: LIMITS.store,
    isBroken: ({ limits, queue }) => limits.store === 'redis' && queue.redisUrl === null,
    expected: 'memory or postgres, or REDIS_URL set',
  },
  {
    setting: LIMITS.uploadBytesPerHour,
    isBroken: ({ limits, s3 }) => limits.uploadBytesPerHour < s3.maxFileSize,
    expected: 'no less than MAX_FILE_SIZE: one file has to fit',
  },
  {
    setting: QUEUE.backoffMaxMs,
    isBroken: ({ queue }) => queue.backoff.maxMs < queue.backoff.baseMs,
    expected: 'no less than QUEUE_BACKOFF_BASE_MS',
  },
];

/** Which adapters each port has been given, and by which variable. */
const CHOSEN: Readonly<
  Record<Port, { setting: Setting<unknown>; adapter: (config: Config) => string | readonly string[] }>
> = {
  'object store': { setting: STORAGE.driver, adapter: ({ storage }) => storage.driver },
  CDN: { setting: CDN.driver, adapter: ({ cdn }) => cdn.driver },
  scanner: { setting: SAFETY.clamdUrl, adapter: ({ safety }) => safety.scanner },
  moderator: { setting: SAFETY.detectors, adapter: ({ safety }) => safety.moderation.detectors },
  search: { setting: SEARCH.opensearchUrl, adapter: ({ search }) => search.driver },
  'key vault': { setting: INTEGRATIONS.keys, adapter: ({ integrations }) => integrations.keys },
  metrics: { setting: INTEGRATIONS.cloudwatch, adapter: ({ integrations }) => integrations.metrics },
  'arrival events': {
    setting: INTEGRATIONS.eventsQueueUrl,
    adapter: ({ integrations }) => integrations.arrivals,
  },
  notifications: {
    setting: INTEGRATIONS.webhookUrl,
    adapter: ({ integrations }) => integrations.notifications,
  },
};

/** Adapters that are not in this version are refused at start, not at midnight. */
export function adapterRules(adapters: Adapters): readonly Rule[] {
  const ports = Object.entries(CHOSEN).map(([port, chosen]) => ({ port, ...chosen }));
  return ports.map(({ port, setting, adapter }) => {
    const available = Object.entries(adapters).find(([name]) => name === port)?.[1] ?? [];
    return {
      setting,
      isBroken: (config) => ![adapter(config)].flat().every((name) => available.includes(name)),
      expected: expectedOf(port, available),
    };
  });
}

function expectedOf(port: string, available: readonly string[]): string {
  if (available.length === 0) return `no ${port}: this version has none`;
  if (available.length === 1) return `${available.join('')}, the only ${port} of this version`;
  return `a ${port} of this version: ${available.join(', ')}`;
}
