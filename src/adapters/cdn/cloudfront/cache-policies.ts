import {
  type CachePolicyConfig,
  type CloudFrontClient,
  CreateCachePolicyCommand,
  GetCachePolicyCommand,
  ListCachePoliciesCommand,
  UpdateCachePolicyCommand,
} from '@aws-sdk/client-cloudfront';
import type { CacheRule } from '#src/domain/cache-policy.ts';
import { StorageError } from '#src/domain/errors.ts';
import { failureOf, toStorageError } from './client.ts';

/** AWS's own policy that caches nothing ("Use managed cache policies", Amazon CloudFront Developer Guide, 2026). */
export const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';

const MAX_ROUNDS = 6;

/** The id of the cache policy that keeps answers as the rule says; made, or changed, where it is not there. */
export async function ensureCachePolicy(
  client: CloudFrontClient,
  distributionId: string,
  rule: CacheRule,
): Promise<string> {
  const { maxAgeSeconds, visibility } = rule.policy;
  if (maxAgeSeconds === 0 || visibility === 'private') return CACHING_DISABLED;
  const wanted = configOf(distributionId, rule);
  for (let round = 1; ; round++) {
    try {
      const id = await findByName(client, wanted.Name ?? '');
      return id === null ? await create(client, wanted) : await update(client, id, wanted);
    } catch (error) {
      const isRace =
        failureOf(error) === 'conflict' ||
        (error instanceof Error && error.name === 'CachePolicyAlreadyExists');
      if (!isRace || round === MAX_ROUNDS) throw toStorageError(error);
    }
  }
}

async function create(client: CloudFrontClient, wanted: CachePolicyConfig): Promise<string> {
  const { CachePolicy } = await client.send(new CreateCachePolicyCommand({ CachePolicyConfig: wanted }));
  return named(CachePolicy?.Id);
}

async function update(client: CloudFrontClient, id: string, wanted: CachePolicyConfig): Promise<string> {
  const { CachePolicy, ETag } = await client.send(new GetCachePolicyCommand({ Id: id }));
  const present = CachePolicy?.CachePolicyConfig;
  if (present?.MaxTTL === wanted.MaxTTL && present?.MinTTL === wanted.MinTTL) return id;
  await client.send(new UpdateCachePolicyCommand({ Id: id, IfMatch: ETag, CachePolicyConfig: wanted }));
  return id;
}

async function findByName(client: CloudFrontClient, name: string): Promise<string | null> {
  let marker: string | undefined;
  do {
    const { CachePolicyList } = await client.send(
      new ListCachePoliciesCommand({ Type: 'custom', ...(marker !== undefined && { Marker: marker }) }),
    );
    const found = CachePolicyList?.Items?.find(
      ({ CachePolicy }) => CachePolicy?.CachePolicyConfig?.Name === name,
    );
    if (found !== undefined) return named(found.CachePolicy?.Id);
    marker = CachePolicyList?.NextMarker;
  } while (marker !== undefined);
  return null;
}

/**
 * All three times are the rule's: it decides, not the Cache-Control that an object was stored with. With a MinTTL above 0
 * CloudFront keeps also what is marked `private` or `no-store` (UpdateCachePolicy, Amazon CloudFront API Reference, 2026),
 * so a rule that keeps anything is for public paths only (`cacheRule`). Accept is in the cache key where the origin
 * negotiates.
 */
function configOf(distributionId: string, { pattern, policy }: CacheRule): CachePolicyConfig {
  const negotiates = /\/current$|\.auto$/.test(pattern);
  return {
    Name: `localex-${distributionId}-${pattern.replaceAll('*', 'any').replaceAll(/[^A-Za-z\d_-]+/g, '_')}`.slice(
      0,
      128,
    ),
    Comment: `LocalEx Storage: ${pattern}`.slice(0, 128),
    MinTTL: policy.maxAgeSeconds,
    DefaultTTL: policy.maxAgeSeconds,
    MaxTTL: policy.maxAgeSeconds,
    ParametersInCacheKeyAndForwardedToOrigin: {
      EnableAcceptEncodingGzip: false,
      EnableAcceptEncodingBrotli: false,
      HeadersConfig: negotiates
        ? { HeaderBehavior: 'whitelist', Headers: { Quantity: 1, Items: ['Accept'] } }
        : { HeaderBehavior: 'none' },
      CookiesConfig: { CookieBehavior: 'none' },
      QueryStringsConfig: { QueryStringBehavior: 'none' },
    },
  };
}

function named(id: string | undefined): string {
  if (id === undefined) throw new StorageError('CDN_UNAVAILABLE');
  return id;
}
