import { GetDistributionConfigCommand } from '@aws-sdk/client-cloudfront';
import { EVERYWHERE, type GeoRule } from '#src/domain/geo.ts';
import { StorageError } from '#src/domain/errors.ts';
import type { Cdn } from '#src/ports/cdn.ts';
import type { Clock } from '#src/ports/clock.ts';
import type { Log } from '#src/ports/log.ts';
import type { PurgeLedger } from '#src/ports/purge-ledger.ts';
import { ensureCachePolicy } from './cloudfront/cache-policies.ts';
import { type CloudfrontConnection, createClient, toStorageError } from './cloudfront/client.ts';
import {
  editDistribution,
  problemsOf,
  withAliases,
  withCachePolicy,
  withGeo,
} from './cloudfront/distribution.ts';
import { createInvalidator, type Invalidator, type InvalidatorOptions } from './cloudfront/invalidator.ts';
import type { SigningKeyPair } from './signing/key-pair.ts';
import { createSigner, type SignatureLimits } from './signing/signer.ts';

export interface CloudfrontOptions extends CloudfrontConnection {
  readonly distributionId: string;
  /** Base of public URLs on the distribution, `https://…`, without a slash at the end. */
  readonly url: string;
  readonly keyPair: SigningKeyPair;
  readonly signatures: SignatureLimits;
  readonly ledger: PurgeLedger;
  readonly geo?: GeoRule;
  readonly clock: Clock;
  readonly log: Log;
  /** Paces of the invalidator, for tests. */
  readonly paces?: Pick<InvalidatorOptions, 'askMs' | 'createIntervalMs' | 'retry'>;
}

export interface CloudfrontCdn extends Cdn, Invalidator {
  /** What about the distribution is not as configured, in words for its operator; empty when all is well. */
  inspect(): Promise<readonly string[]>;
}

/** Attempts of a call that changes settings; the SDK waits between them. */
const SETTINGS_ATTEMPTS = 4;

/**
 * Amazon CloudFront before the bucket. Purges are written down in the ledger and carried out by `advance`, which a worker
 * calls again and again: `invalidate` resolves once they cannot be lost.
 *
 * @throws StorageError INVALID_CONFIGURATION for an address without TLS
 */
export function createCloudfrontCdn(options: CloudfrontOptions): CloudfrontCdn {
  const { distributionId, ledger, keyPair, clock, log, geo = EVERYWHERE } = options;
  if (!options.url.startsWith('https://'))
    throw new StorageError(
      'INVALID_CONFIGURATION',
      'CDN_URL begins with https:// when CDN_DRIVER is cloudfront.',
    );
  const url = (path: string) => `${options.url}/${encodeURI(path)}`;
  const signer = createSigner({ keyPair, limits: options.signatures, url, clock });
  const calls = createClient(options, 1);
  const settings = createClient(options, SETTINGS_ATTEMPTS);
  const invalidator = createInvalidator({
    client: calls,
    distributionId,
    ledger,
    clock,
    log,
    ...options.paces,
  });

  return {
    name: 'cloudfront',
    url,
    signedUrl: (path, expiresAt) => signer.signedUrl(path, expiresAt),
    signedCookies: (pattern, expiresAt) => signer.signedCookies(pattern, expiresAt),
    invalidate: (paths) => ledger.add([...new Set(paths.flatMap(spellings))]),
    isPurged: (ticket) => ledger.isDone(ticket),
    advance: () => invalidator.advance(),
    async setCacheRule(rule) {
      const id = await ensureCachePolicy(settings, distributionId, rule);
      await editDistribution(settings, distributionId, withCachePolicy(rule.pattern, id));
    },
    async configure(change) {
      if (change.geo !== undefined) await editDistribution(settings, distributionId, withGeo(change.geo));
      if (change.aliases !== undefined)
        await editDistribution(settings, distributionId, withAliases(change.aliases));
    },
    async inspect() {
      try {
        const { DistributionConfig } = await settings.send(
          new GetDistributionConfigCommand({ Id: distributionId }),
        );
        if (DistributionConfig === undefined) return ['the distribution has no configuration'];
        return problemsOf(DistributionConfig, new URL(options.url).hostname, geo);
      } catch (error) {
        throw toStorageError(error);
      }
    },
    async close() {
      calls.destroy();
      settings.destroy();
    },
  };
}

/**
 * How a path can stand in URLs that lead to one object: `@`, `:` and `|` of a user's id are sent as they are or
 * percent-encoded, and CloudFront keeps answers by the letters that were sent.
 */
function spellings(path: string): string[] {
  const everyLetter = path.split('/').map((segment) => encodeURIComponent(segment).replaceAll('%2A', '*'));
  return [encodeURI(path), everyLetter.join('/')];
}
