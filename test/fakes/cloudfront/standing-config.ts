import { el, type Element } from './xml.ts';

const CACHING_OPTIMIZED = '658327ea-f89d-4fab-a63d-7e88639e58f6';
const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';
/** What viewers call the distribution. */
export const CDN_HOST = 'cdn.example.com';

/** A distribution as an operator would make it: the bucket, our service for look-ups, signatures for everything else. */
export function distributionConfig(): Element {
  const items = [
    behaviour('profiles/thumbnail/*/current', { origin: 'service' }),
    behaviour('items/original/*.auto', { origin: 'service' }),
    behaviour('profiles/original/*.auto', { origin: 'service' }),
    behaviour('items/*', {}),
    behaviour('profiles/*', {}),
  ];
  return el(
    'DistributionConfig',
    el('CallerReference', 'localex-2026'),
    el('Aliases', el('Quantity', 1), el('Items', el('CNAME', CDN_HOST))),
    el('DefaultRootObject', ''),
    el('Origins', el('Quantity', 2), el('Items', origin('bucket'), origin('service'))),
    { ...behaviour(null, { isSigned: true }), name: 'DefaultCacheBehavior' },
    el('CacheBehaviors', el('Quantity', items.length), el('Items', ...items)),
    el('Comment', 'A photo & its renditions'),
    el('PriceClass', 'PriceClass_All'),
    el('Enabled', true),
    el('Restrictions', el('GeoRestriction', el('RestrictionType', 'none'), el('Quantity', 0))),
  );
}

function behaviour(
  pattern: string | null,
  { origin: to = 'bucket', isSigned = false }: { origin?: string; isSigned?: boolean },
): Element {
  const groups = isSigned ? [el('Items', el('KeyGroup', 'group-1'))] : [];
  return el(
    'CacheBehavior',
    ...(pattern === null ? [] : [el('PathPattern', pattern)]),
    el('TargetOriginId', to),
    el('TrustedKeyGroups', el('Enabled', isSigned), el('Quantity', groups.length), ...groups),
    el('ViewerProtocolPolicy', isSigned ? 'https-only' : 'redirect-to-https'),
    el('Compress', true),
    el('CachePolicyId', isSigned ? CACHING_DISABLED : CACHING_OPTIMIZED),
  );
}

function origin(id: string): Element {
  return el('Origin', el('Id', id), el('DomainName', `${id}.example.com`), el('OriginPath', ''));
}
