import { StorageError } from '../domain/errors.ts';
import { ADAPTERS, type Adapters } from './adapters.ts';
import { AUDIT, type AuditConfig, readAudit } from './audit.ts';
import { AUTH, type AuthConfig, readAuth } from './auth.ts';
import { CDN, type CdnConfig, edgeAddress, readCdn } from './cdn.ts';
import { DATABASE, type DatabaseConfig, readDatabase } from './database.ts';
import { IMAGES, type ImagesConfig, readImages } from './images.ts';
import { INTEGRATIONS, type IntegrationsConfig, readIntegrations } from './integrations.ts';
import { KEYS, type KeysConfig, readKeys } from './keys.ts';
import { LIFECYCLE, type LifecycleConfig, readLifecycle } from './lifecycle.ts';
import { LIMITS, type LimitsConfig, readLimits } from './limits.ts';
import { QUEUE, type QueueConfig, readQueue } from './queue.ts';
import {
  describeProblems,
  type Environment,
  heldBy,
  type Problem,
  type SettingSource,
  showHeld,
  sourceOf,
} from './report.ts';
import { adapterRules, RULES } from './rules.ts';
import { readS3, S3, type S3Config } from './s3.ts';
import { readSafety, SAFETY, type SafetyConfig } from './safety.ts';
import { readScrub, SCRUB, type ScrubConfig } from './scrub.ts';
import { readSearch, SEARCH, type SearchConfig } from './search.ts';
import { localAddress, readServer, SERVER, type ServerConfig } from './server.ts';
import type { Read, Setting } from './setting.ts';
import { readStorage, STORAGE, type StorageConfig } from './storage.ts';

export interface Config {
  readonly server: ServerConfig;
  readonly database: DatabaseConfig;
  readonly storage: StorageConfig;
  readonly s3: S3Config;
  readonly cdn: CdnConfig;
  readonly images: ImagesConfig;
  readonly queue: QueueConfig;
  readonly safety: SafetyConfig;
  readonly auth: AuthConfig;
  readonly limits: LimitsConfig;
  readonly lifecycle: LifecycleConfig;
  readonly scrub: ScrubConfig;
  readonly audit: AuditConfig;
  readonly keys: KeysConfig;
  readonly search: SearchConfig;
  readonly integrations: IntegrationsConfig;
  /** Every setting with its source, in the order of `SETTINGS`; secrets are not in it. */
  readonly sources: readonly SettingSource[];
}

const AREAS = {
  server: SERVER,
  database: DATABASE,
  storage: STORAGE,
  s3: S3,
  cdn: CDN,
  images: IMAGES,
  queue: QUEUE,
  safety: SAFETY,
  auth: AUTH,
  limits: LIMITS,
  lifecycle: LIFECYCLE,
  scrub: SCRUB,
  audit: AUDIT,
  keys: KEYS,
  search: SEARCH,
  integrations: INTEGRATIONS,
} satisfies Record<Exclude<keyof Config, 'sources'>, Record<string, Setting<unknown>>>;

/** Every variable that is read, with its area, for documentation and `doctor`. */
export const SETTINGS: readonly (Setting<unknown> & { readonly area: string })[] = Object.entries(
  AREAS,
).flatMap(([area, settings]) => Object.values(settings).map((setting) => ({ ...setting, area })));

/**
 * Defaults, then the environment, then the rules that settings must keep together. Absent or blank means the
 * default, and the default is embedded: nothing has to be set.
 *
 * @param adapters those that can be chosen; another list only in tests
 * @throws StorageError INVALID_CONFIGURATION, naming every problem at once: variable, what it holds (of secrets
 *   only the length), what was expected
 */
export function loadConfig(env: Environment, adapters: Adapters = ADAPTERS): Config {
  const problems: Problem[] = [];
  const note = (setting: Setting<unknown>, expected: string) => {
    if (problems.some(({ name }) => name === setting.name)) return;
    problems.push({ name: setting.name, holds: showHeld(env, setting), expected });
  };

  const config = readAll(env, note);
  const isSet = (setting: Setting<unknown>) => heldBy(env, setting) !== undefined;
  for (const rule of [...RULES, ...adapterRules(adapters)])
    if (rule.isBroken(config, isSet)) note(rule.setting, rule.expected);

  if (problems.length > 0)
    throw new StorageError('INVALID_CONFIGURATION', describeProblems(problems), { details: { problems } });
  return config;
}

/** The environment of this process, for `loadConfig`: nothing else reads it. */
export function readEnvironment(): Environment {
  return { ...process.env };
}

export interface Addresses {
  readonly publicUrl: string;
  readonly cdnUrl: string;
}

/** The two addresses that are only known once the service listens, if PORT is 0. Without a slash at the end. */
export function addressesOf({ server, cdn }: Pick<Config, 'server' | 'cdn'>, port: number): Addresses {
  const publicUrl = server.publicUrl ?? localAddress(server.host, port);
  return { publicUrl, cdnUrl: cdn.url ?? edgeAddress(publicUrl) };
}

function readAll(env: Environment, note: (setting: Setting<unknown>, expected: string) => void): Config {
  const read: Read = (setting) => {
    const text = heldBy(env, setting);
    if (text === undefined) return setting.fallback();
    const value = setting.parse(text);
    if (value !== undefined) return value;
    note(setting, setting.expected);
    return setting.fallback();
  };
  const server = readServer(read);
  const queue = readQueue(read);
  return {
    server,
    database: readDatabase(read),
    storage: readStorage(read),
    s3: readS3(read, read(CDN.url)),
    cdn: readCdn(read, server.publicUrl),
    images: readImages(read),
    queue,
    safety: readSafety(read),
    auth: readAuth(read, server),
    limits: readLimits(read, queue.redisUrl),
    lifecycle: readLifecycle(read),
    scrub: readScrub(read),
    audit: readAudit(read),
    keys: readKeys(read),
    search: readSearch(read),
    integrations: readIntegrations(read),
    sources: SETTINGS.map((setting) => sourceOf(env, setting)),
  };
}
