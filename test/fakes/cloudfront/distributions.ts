import { isCountry } from '#src/domain/geo.ts';
import { Refusal } from './refusal.ts';
import { type Element, find, itemsAt, textAt } from './xml.ts';

/** Something that is changed under the ETag it was read with. */
export interface Versioned {
  readonly id: string;
  config: Element;
  version: number;
}

export function etagOf({ id, version }: Versioned): string {
  return `E${version}${id}`;
}

/**
 * UpdateDistribution, UpdateCachePolicy, CloudFront API Reference: without If-Match InvalidIfMatchVersion (400), with that
 * of another version PreconditionFailed (412).
 */
export function assertMatch(present: Versioned, ifMatch: string | undefined): void {
  if (ifMatch === undefined)
    throw new Refusal(
      400,
      'InvalidIfMatchVersion',
      'The If-Match version is missing or not valid for the resource.',
    );
  if (ifMatch !== etagOf(present))
    throw new Refusal(
      412,
      'PreconditionFailed',
      'The precondition in one or more of the request fields evaluated to false.',
    );
}

const MAX_BEHAVIOURS = 75;

/**
 * What UpdateDistribution asks of a configuration (CloudFront API Reference and Developer Guide, "Quotas"): the same
 * CallerReference, quantities that are true, each pattern once, at most 75 behaviours, either a cache policy that exists or
 * the old settings, country codes of ISO 3166-1.
 */
export function assertConfig(before: Element, config: Element, hasPolicy: (id: string) => boolean): void {
  if (config.name !== 'DistributionConfig')
    throw new Refusal(400, 'MissingBody', 'This operation requires a body.');
  if (textAt(config, 'CallerReference') !== textAt(before, 'CallerReference'))
    throw new Refusal(400, 'IllegalUpdate', 'The caller reference cannot be changed.');
  assertQuantities(config);
  const behaviours = itemsAt(config, 'CacheBehaviors');
  if (behaviours.length > MAX_BEHAVIOURS)
    throw new Refusal(400, 'TooManyCacheBehaviors', 'You cannot create more cache behaviors.');
  const patterns = behaviours.map((one) => (textAt(one, 'PathPattern') ?? '').replace(/^\//, ''));
  if (new Set(patterns).size !== patterns.length || patterns.includes(''))
    throw new Refusal(400, 'InvalidArgument', 'Each cache behavior needs a path pattern of its own.');
  const standing = find(config, 'DefaultCacheBehavior');
  for (const behaviour of [...(standing === undefined ? [] : [standing]), ...behaviours]) {
    const policy = textAt(behaviour, 'CachePolicyId');
    if ((policy === undefined) === (find(behaviour, 'ForwardedValues') === undefined))
      throw new Refusal(
        400,
        'InvalidArgument',
        'The parameter CachePolicyId cannot be used with ForwardedValues.',
      );
    if (policy !== undefined && !hasPolicy(policy))
      throw new Refusal(404, 'NoSuchCachePolicy', 'The cache policy does not exist.');
  }
  const geo = find(config, 'Restrictions', 'GeoRestriction');
  const kind = textAt(geo, 'RestrictionType') ?? 'none';
  const countries = itemsAt(geo).map(({ text }) => text);
  const isGeo = kind === 'none' ? countries.length === 0 : countries.length > 0 && countries.every(isCountry);
  if (!isGeo || !['none', 'whitelist', 'blacklist'].includes(kind))
    throw new Refusal(
      400,
      'InvalidGeoRestrictionParameter',
      'The specified geo restriction parameter is not valid.',
    );
}

/** InconsistentQuantities: "The value of Quantity and the size of Items don't match." */
function assertQuantities(element: Element): void {
  const quantity = textAt(element, 'Quantity');
  if (quantity !== undefined && Number(quantity) !== itemsAt(element).length)
    throw new Refusal(
      400,
      'InconsistentQuantities',
      `Quantity of ${element.name} and its Items don't match.`,
    );
  for (const child of element.children) assertQuantities(child);
}
