import { join } from 'node:path';
import { sql } from 'kysely';
import { z } from 'zod';
import type { CloudfrontCdn } from '../adapters/cdn/cloudfront.ts';
import { createEdge, type Edge } from '../adapters/cdn/edge/index.ts';
import { createUsageLog, type UsageLog } from '../adapters/cdn/edge/usage-log.ts';
import { openKeyPair, readKeyPair } from '../adapters/cdn/signing/key-pair.ts';
import type { Addresses, Config } from '../config/index.ts';
import { edgeAddress } from '../config/cdn.ts';
import { CACHE_RULES_CHANNEL, listCacheRules, saveCacheRule } from '../db/cache-rules.ts';
import type { Listener } from '../db/listener.ts';
import { createPurgeLedger } from '../db/purge-ledger.ts';
import type { Database } from '../db/schema.ts';
import { mayServe } from '../db/served.ts';
import { addUsage, noteLastViews } from '../db/usage.ts';
import type { UserId } from '../domain/ids.ts';
import type { OutputFormat } from '../domain/renditions.ts';
import type { Cdn } from '../ports/cdn.ts';
import { systemClock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { ObjectStore } from '../ports/object-store.ts';

const CHANNEL = 'localex_purge';
/** A notification carries less than 8,000 bytes. */
const PATHS_PER_NOTE = 20;

export interface CdnParts {
  readonly cdn: Cdn;
  /** What answers below `/cdn/` here: everything, or behind CloudFront what it cannot find by itself. */
  readonly edge: Edge;
  /** CloudFront, whose purges have to be carried to it; null with the edge. */
  readonly cloudfront: CloudfrontCdn | null;
}

interface CdnSources {
  readonly config: Config;
  readonly addresses: Addresses;
  readonly store: ObjectStore;
  readonly listener: Listener;
  readonly db: Database;
  readonly profileThumbnailKey: (userId: UserId, format: OutputFormat) => Promise<string>;
  readonly log: Log;
}

/** The CDN that the configuration names. Rules and purges reach every process, through the database. */
export async function createCdn(sources: CdnSources): Promise<CdnParts> {
  const { config, db } = sources;
  const { cloudfront: settings, driver } = config.cdn;
  const keyPair =
    settings === null
      ? await openKeyPair(join(config.server.dataDir, 'edge-signing.pem'))
      : await readKeyPair(settings.privateKeyFile, settings.keyPairId, 'CLOUDFRONT_PRIVATE_KEY_FILE');
  const signatures = {
    maxSeconds: config.cdn.signedUrlMaxSeconds,
    windowSeconds: config.cdn.signedUrlWindowSeconds,
  };
  const isEdge = driver === 'edge' || settings === null;
  const base = isEdge ? sources.addresses.cdnUrl : edgeAddress(sources.addresses.publicUrl);
  const usage = createUsageLog({
    // What CloudFront asks here for its viewers is in its log too, and counted there.
    write: (tallied) => (isEdge ? addUsage(db, 'edge', tallied) : noteLastViews(db, tallied)),
    clock: systemClock,
    log: sources.log,
  });
  const edge = createEdge({
    store: sources.store,
    usage,
    url: () => base,
    hotCacheBytes: config.cdn.hotCacheBytes,
    keyPair,
    signatures,
    profileThumbnailKey: sources.profileThumbnailKey,
    mayServe: (key) => mayServe(db, key),
    ...(isEdge && { geo: config.cdn.geo }),
    countryHeader: config.cdn.countryHeader,
    trustProxy: config.server.trustProxy,
    serves: isEdge ? 'everything' : 'look-ups',
    clock: systemClock,
    log: sources.log,
  });
  const everywhere = await inEveryProcess(edge, sources, usage);
  if (isEdge) return { cdn: everywhere, edge, cloudfront: null };

  const { createCloudfrontCdn } = await import('../adapters/cdn/cloudfront.ts');
  const cloudfront = createCloudfrontCdn({
    distributionId: settings.distributionId,
    endpoint: settings.endpoint,
    url: sources.addresses.cdnUrl,
    keyPair,
    signatures,
    ledger: createPurgeLedger(db),
    geo: config.cdn.geo,
    clock: systemClock,
    log: sources.log,
  });
  const cdn: Cdn = {
    ...cloudfront,
    async close() {
      await everywhere.close();
      await cloudfront.close();
    },
    // First here, so that CloudFront does not fetch the old answer again.
    async invalidate(paths) {
      await everywhere.invalidate(paths);
      return cloudfront.invalidate(paths);
    },
    async setCacheRule(rule) {
      await cloudfront.setCacheRule(rule);
      await everywhere.setCacheRule(rule);
    },
  };
  return { cdn, edge, cloudfront };
}

/**
 * The edge, with what it is told told to every process: whoever purges tells the others through the database, rules are
 * kept there. A process that was not reachable meanwhile forgets everything, and reads the rules again.
 */
async function inEveryProcess(edge: Edge, { db, listener, log }: CdnSources, usage: UsageLog): Promise<Cdn> {
  const readRules = async () => {
    for (const rule of await listCacheRules(db)) await edge.setCacheRule(rule);
  };
  await listener.listen(CHANNEL, (payload) => {
    void edge.invalidate(payload === null ? ['*'] : z.array(z.string()).parse(JSON.parse(payload)));
  });
  await listener.listen(CACHE_RULES_CHANNEL, () => {
    readRules().catch((error: unknown) => log.warn({ err: error }, 'cache rules could not be read'));
  });
  await readRules();
  return {
    ...edge,
    async close() {
      await usage.close();
      await edge.close();
    },
    async invalidate(paths) {
      const ticket = await edge.invalidate(paths);
      for (let start = 0; start < paths.length; start += PATHS_PER_NOTE) {
        const note = JSON.stringify(paths.slice(start, start + PATHS_PER_NOTE));
        await sql`select pg_notify(${CHANNEL}, ${note})`.execute(db);
      }
      return ticket;
    },
    async setCacheRule(rule) {
      await edge.setCacheRule(rule);
      await saveCacheRule(db, rule);
    },
  };
}
