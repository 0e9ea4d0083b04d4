import {
  type CacheBehavior,
  type CloudFrontClient,
  type DistributionConfig,
  GetDistributionConfigCommand,
  UpdateDistributionCommand,
} from '@aws-sdk/client-cloudfront';
import type { GeoRule } from '#src/domain/geo.ts';
import { matchesPattern } from '#src/domain/cache-policy.ts';
import { StorageError } from '#src/domain/errors.ts';
import { failureOf, toStorageError } from './client.ts';

/** Another writer may win so many times before we give up. */
const MAX_ROUNDS = 6;

/** Returns the configuration as it is to be, or null when it is so already. */
export type Edit = (config: DistributionConfig) => DistributionConfig | null;

/**
 * Changes a distribution by reading it, editing it and writing it back under the ETag that was read, since an update
 * replaces everything (UpdateDistribution, Amazon CloudFront API Reference, 2026). When somebody else was faster it is
 * read again, so that no change of theirs is lost.
 *
 * @throws StorageError VERSION_CONFLICT when that goes on, INVALID_CONFIGURATION, INVALID_REQUEST, CDN_UNAVAILABLE
 */
export async function editDistribution(client: CloudFrontClient, id: string, edit: Edit): Promise<boolean> {
  for (let round = 1; ; round++) {
    try {
      const { DistributionConfig, ETag } = await client.send(new GetDistributionConfigCommand({ Id: id }));
      if (DistributionConfig === undefined || ETag === undefined) throw new StorageError('CDN_UNAVAILABLE');
      const edited = edit(DistributionConfig);
      if (edited === null) return false;
      await client.send(new UpdateDistributionCommand({ Id: id, IfMatch: ETag, DistributionConfig: edited }));
      return true;
    } catch (error) {
      if (failureOf(error) !== 'conflict' || round === MAX_ROUNDS) throw toStorageError(error);
    }
  }
}

const GEO_TYPES = { everywhere: 'none', only: 'whitelist', except: 'blacklist' } as const;

/** Answers only viewers of some countries, or all but those. */
export function withGeo(rule: GeoRule): Edit {
  const countries = rule.kind === 'everywhere' ? [] : rule.countries.toSorted();
  const RestrictionType = GEO_TYPES[rule.kind];
  return (config) => {
    const present = config.Restrictions?.GeoRestriction;
    const isSame =
      (present?.RestrictionType ?? 'none') === RestrictionType &&
      (present?.Items ?? []).toSorted().join() === countries.join();
    if (isSame) return null;
    const GeoRestriction = { RestrictionType, Quantity: countries.length, Items: countries };
    return { ...config, Restrictions: { GeoRestriction } };
  };
}

/** Answers for these host names too. They must be in the certificate of the distribution. */
export function withAliases(hosts: readonly string[]): Edit {
  return (config) => {
    const present = config.Aliases?.Items ?? [];
    if (hosts.every((host) => present.includes(host))) return null;
    const Items = [...new Set([...present, ...hosts])];
    return { ...config, Aliases: { Quantity: Items.length, Items } };
  };
}

/**
 * Caches paths of a pattern by a cache policy. A pattern without a behaviour of its own gets one, before those that serve
 * it today and like the first of them in all else: origin, signatures, function.
 */
export function withCachePolicy(pattern: string, cachePolicyId: string): Edit {
  return (config) => {
    const behaviours = config.CacheBehaviors?.Items ?? [];
    const bare = (behaviour: CacheBehavior) => (behaviour.PathPattern ?? '').replace(/^\//, '');
    const own = behaviours.findIndex((behaviour) => bare(behaviour) === pattern);
    if (own !== -1 && behaviours[own]?.CachePolicyId === cachePolicyId) return null;
    const Items =
      own === -1 ? insert(behaviours) : behaviours.map((one, at) => (at === own ? changed(one) : one));
    return { ...config, CacheBehaviors: { Quantity: Items.length, Items } };

    function changed(behaviour: CacheBehavior): CacheBehavior {
      const {
        MinTTL: _min,
        DefaultTTL: _default,
        MaxTTL: _max,
        ForwardedValues: _values,
        ...kept
      } = behaviour;
      return { ...kept, CachePolicyId: cachePolicyId };
    }
    function insert(present: readonly CacheBehavior[]): CacheBehavior[] {
      const serving = present.findIndex((behaviour) => matchesPattern(bare(behaviour), pattern));
      const at = serving === -1 ? present.length : serving;
      const like = present[serving] ?? config.DefaultCacheBehavior;
      if (like === undefined) throw new StorageError('INVALID_CONFIGURATION');
      return [
        ...present.slice(0, at),
        { ...changed({ ...like, PathPattern: pattern }) },
        ...present.slice(at),
      ];
    }
  };
}

/** What keeps a distribution from serving as configured, in words for its operator. */
export function problemsOf(config: DistributionConfig, host: string, geo: GeoRule): string[] {
  const behaviours = [config.DefaultCacheBehavior, ...(config.CacheBehaviors?.Items ?? [])];
  const isNamed =
    host.endsWith('.cloudfront.net') || (config.Aliases?.Items ?? []).some((alias) => isAlias(alias, host));
  return [
    ...(config.Enabled === true ? [] : ['the distribution is not enabled']),
    ...(isNamed ? [] : [`${host} of CDN_URL is none of its alternate domain names`]),
    ...(behaviours.some((one) => one?.ViewerProtocolPolicy === 'allow-all')
      ? ['one of its cache behaviours answers over plain http']
      : []),
    ...(withGeo(geo)(config) === null
      ? []
      : ['its geographic restriction is not that of CDN_GEO_ALLOW or CDN_GEO_DENY']),
  ];
}

function isAlias(alias: string, host: string): boolean {
  return alias === host || (alias.startsWith('*.') && host.slice(host.indexOf('.')) === alias.slice(1));
}
