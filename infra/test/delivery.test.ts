import vm from 'node:vm';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { MAX_FUNCTION_BYTES } from '../src/delivery/functions.ts';
import { flat } from './support/flat.ts';
import { allOf, oneOf } from './support/resources.ts';
import type { Synthesised } from './support/synthesise.ts';
import { EXAMPLE, VARIANTS, WITH_EVERYTHING } from './support/variants.ts';

const BEHAVIOUR = z.looseObject({
  PathPattern: z.string().optional(),
  TargetOriginId: z.string(),
  ViewerProtocolPolicy: z.string(),
  AllowedMethods: z.array(z.string()),
  Compress: z.boolean(),
  CachePolicyId: z.string(),
  ResponseHeadersPolicyId: z.string(),
  TrustedKeyGroups: z.array(z.string()).optional(),
  FunctionAssociations: z.array(z.object({ EventType: z.string(), FunctionARN: z.string() })).optional(),
});
const DISTRIBUTION = z.object({
  DistributionConfig: z.looseObject({
    DefaultCacheBehavior: BEHAVIOUR,
    CacheBehaviors: z.array(BEHAVIOUR),
    Origins: z.array(z.looseObject({ Id: z.string(), DomainName: z.string() })),
  }),
});

function distributionOf(synthesised: Synthesised) {
  const { stack, properties } = oneOf(synthesised, 'AWS::CloudFront::Distribution');
  return DISTRIBUTION.parse(flat(properties, synthesised, stack)).DistributionConfig;
}

const config = distributionOf(EXAMPLE);

test('only what is named is served: everything else is refused at the edge', () => {
  expect(config.CacheBehaviors.map(({ PathPattern }) => PathPattern)).toEqual([
    'profiles/thumbnail/*/current',
    'items/original/*.auto',
    'profiles/original/*.auto',
    'quarantine/view/*',
    'items/*',
    'profiles/*',
  ]);
  expect(config.DefaultCacheBehavior.FunctionAssociations).toEqual([
    { EventType: 'viewer-request', FunctionARN: '<Refuse.FunctionARN>' },
  ]);
  const refused = run(codeOf(EXAMPLE, 'localex-storage-refuse'), { uri: '/temp/uploads/x', headers: {} });
  expect(refused).toMatchObject({ statusCode: 403, headers: { 'cache-control': { value: 'no-store' } } });
});

test('reviewers’ views need our signature; public pictures need none', () => {
  const signed = config.CacheBehaviors.filter(({ TrustedKeyGroups }) => TrustedKeyGroups !== undefined);
  expect(signed.map(({ PathPattern, TrustedKeyGroups }) => [PathPattern, TrustedKeyGroups])).toEqual([
    ['quarantine/view/*', ['<Signers>']],
  ]);
  expect(oneOf(EXAMPLE, 'AWS::CloudFront::KeyGroup').properties).toMatchObject({
    KeyGroupConfig: { Items: [{ Ref: expect.stringMatching(/^PublicKey/) }] },
  });
});

test.each(VARIANTS)('%s speaks HTTPS only, reads only, and compresses', (_, synthesised) => {
  const { DefaultCacheBehavior, CacheBehaviors } = distributionOf(synthesised);
  for (const behaviour of [DefaultCacheBehavior, ...CacheBehaviors]) {
    expect(['redirect-to-https', 'https-only']).toContain(behaviour.ViewerProtocolPolicy);
    expect(behaviour.AllowedMethods).toEqual(['GET', 'HEAD']);
    expect(behaviour.Compress).toBe(true);
    expect(behaviour.ResponseHeadersPolicyId).toBe('<ResponseHeaders>');
  }
});

test('a signed URL is never sent in the clear, not even to be redirected', () => {
  const signed = config.CacheBehaviors.find(({ PathPattern }) => PathPattern === 'quarantine/view/*');
  expect(signed?.ViewerProtocolPolicy).toBe('https-only');
});

test('CloudFront signs each request to the bucket, and asks the service only for what the bucket has no key for', () => {
  const [bucket, service, ...others] = config.Origins;
  expect(others).toEqual([]);
  expect(bucket).toMatchObject({
    DomainName: `${EXAMPLE.names.bucket}.s3.eu-central-1.amazonaws.com`,
    OriginAccessControlId: '<OriginAccess.Id>',
  });
  expect(oneOf(EXAMPLE, 'AWS::CloudFront::OriginAccessControl').properties).toMatchObject({
    OriginAccessControlConfig: {
      OriginAccessControlOriginType: 's3',
      SigningBehavior: 'always',
      SigningProtocol: 'sigv4',
    },
  });
  expect(service).toMatchObject({
    DomainName: 'api.localex.example',
    OriginPath: '/cdn',
    CustomOriginConfig: { OriginProtocolPolicy: 'https-only', OriginSSLProtocols: ['TLSv1.2'] },
  });
  const asked = config.CacheBehaviors.filter(({ TargetOriginId }) => TargetOriginId === service?.Id);
  expect(asked.map(({ PathPattern }) => PathPattern)).toEqual([
    'profiles/thumbnail/*/current',
    'items/original/*.auto',
    'profiles/original/*.auto',
  ]);
});

test('a cache keeps objects for a year, look-ups as the service says and signed answers not at all', () => {
  const kept = config.CacheBehaviors.map(({ PathPattern, CachePolicyId }) => {
    const { DefaultTTL, MinTTL, MaxTTL } = cachePolicy(CachePolicyId);
    return [PathPattern, [MinTTL, DefaultTTL, MaxTTL]];
  });
  const year = 31_536_000;
  expect(Object.fromEntries(kept)).toEqual({
    'profiles/thumbnail/*/current': [0, 60, year],
    'items/original/*.auto': [0, 60, year],
    'profiles/original/*.auto': [0, 60, year],
    'quarantine/view/*': [0, 0, 0],
    'items/*': [0, year, year],
    'profiles/*': [0, year, year],
  });
});

test('nobody fills the cache with copies: no cookie, no query, and Accept only where two values of it are left', () => {
  for (const { PathPattern, CachePolicyId, TargetOriginId } of config.CacheBehaviors) {
    const isLookUp = TargetOriginId === config.Origins[1]?.Id;
    expect(cachePolicy(CachePolicyId).ParametersInCacheKeyAndForwardedToOrigin, PathPattern).toMatchObject({
      CookiesConfig: { CookieBehavior: 'none' },
      QueryStringsConfig: { QueryStringBehavior: 'none' },
      HeadersConfig: isLookUp
        ? { HeaderBehavior: 'whitelist', Headers: ['Accept'] }
        : { HeaderBehavior: 'none' },
    });
  }
  const values = ['image/avif,image/webp,*/*', '*/*', 'image/webp;q=0', 'text/html, image/webp;q=0.8'].map(
    (value) => normalised('/profiles/thumbnail/ada/current', value).headers.accept.value,
  );
  expect([...new Set(values)].toSorted()).toEqual(['image/jpeg', 'image/webp']);
});

test('the function turns .auto of a rendition into a key of the bucket, and leaves look-ups to the service', () => {
  expect(normalised('/items/large/bike/x.auto', 'image/webp').uri).toBe('/items/large/bike/x.webp');
  expect(normalised('/items/large/bike/x.auto', '*/*').uri).toBe('/items/large/bike/x.jpg');
  expect(normalised('/items/original/bike/x.auto', 'image/webp').uri).toBe('/items/original/bike/x.auto');
  expect(normalised('/profiles/thumbnail/ada/current', 'image/webp').uri).toBe(
    '/profiles/thumbnail/ada/current',
  );
});

test('every answer forbids sniffing, framing and running anything, and asks for TLS in future', () => {
  expect(oneOf(EXAMPLE, 'AWS::CloudFront::ResponseHeadersPolicy').properties).toMatchObject({
    ResponseHeadersPolicyConfig: {
      SecurityHeadersConfig: {
        StrictTransportSecurity: { AccessControlMaxAgeSec: 63_072_000, Override: true },
        ContentTypeOptions: { Override: true },
        FrameOptions: { FrameOption: 'DENY', Override: true },
        ContentSecurityPolicy: {
          ContentSecurityPolicy: expect.stringMatching(/^default-src 'none';/),
          Override: true,
        },
      },
      CustomHeadersConfig: {
        Items: expect.arrayContaining([
          { Header: 'Cross-Origin-Resource-Policy', Value: 'cross-origin', Override: true },
        ]),
      },
    },
  });
});

test('formats are negotiated before the cache, by the product’s own function', () => {
  for (const { PathPattern, FunctionAssociations } of config.CacheBehaviors)
    expect(FunctionAssociations, PathPattern).toEqual(
      PathPattern === 'quarantine/view/*'
        ? undefined
        : [{ EventType: 'viewer-request', FunctionARN: '<Accept.FunctionARN>' }],
    );
});

test.each(['localex-storage-accept', 'localex-storage-refuse'])(
  'the function %s fits, is published, and runs',
  (name) => {
    const { properties } = oneOf(EXAMPLE, 'AWS::CloudFront::Function', { Name: name });
    expect(properties).toMatchObject({ AutoPublish: true, FunctionConfig: { Runtime: 'cloudfront-js-2.0' } });
    const code = codeOf(EXAMPLE, name);
    expect(Buffer.byteLength(code)).toBeLessThanOrEqual(MAX_FUNCTION_BYTES);
    expect(
      run(code, { method: 'GET', uri: '/items/large/bike/x.jpg', querystring: {}, headers: {}, cookies: {} }),
    ).toBeTypeOf('object');
  },
);

test('a domain brings its certificate and today’s protocols; countries and the firewall stand before everything', () => {
  const { account } = { account: '111122223333' };
  expect(distributionOf(WITH_EVERYTHING)).toMatchObject({
    Aliases: ['cdn.localex.example'],
    ViewerCertificate: {
      AcmCertificateArn: expect.stringContaining(`arn:aws:acm:us-east-1:${account}:certificate/`),
      MinimumProtocolVersion: 'TLSv1.2_2021',
      SslSupportMethod: 'sni-only',
    },
    Restrictions: { GeoRestriction: { RestrictionType: 'whitelist', Locations: ['DE', 'AT'] } },
    WebACLId: '<Firewall.Arn>',
  });
  expect(oneOf(WITH_EVERYTHING, 'AWS::WAFv2::WebACL')).toMatchObject({
    stack: WITH_EVERYTHING.names.stacks.firewall,
    properties: { Scope: 'CLOUDFRONT' },
  });
});

test('access logs go to their bucket without address, cookie, query or referrer of a viewer', () => {
  const { properties } = oneOf(EXAMPLE, 'AWS::Logs::Delivery');
  expect(properties).toMatchObject({ S3SuffixPath: '{yyyy}/{MM}/{dd}/{HH}' });
  const fields = z.array(z.string()).parse(properties['RecordFields']);
  expect(fields).toEqual(
    expect.arrayContaining([
      'date',
      'time',
      'cs-method',
      'cs-uri-stem',
      'sc-bytes',
      'sc-range-start',
      'sc-status',
      'x-edge-result-type',
      'cs(User-Agent)',
    ]),
  );
  for (const secret of ['c-ip', 'x-forwarded-for', 'cs(Cookie)', 'cs-uri-query', 'cs(Referer)'])
    expect(fields).not.toContain(secret);
  expect(oneOf(EXAMPLE, 'AWS::Logs::DeliverySource').properties).toMatchObject({ LogType: 'ACCESS_LOGS' });
});

const CACHE_POLICY = z.object({
  CachePolicyConfig: z.looseObject({
    MinTTL: z.number(),
    DefaultTTL: z.number(),
    MaxTTL: z.number(),
    ParametersInCacheKeyAndForwardedToOrigin: z.unknown(),
  }),
});

function cachePolicy(shown: string) {
  const found = allOf(EXAMPLE, 'AWS::CloudFront::CachePolicy').find(
    ({ id }) => `<${id.replace(/[0-9A-F]{8}$/, '')}>` === shown,
  );
  return CACHE_POLICY.parse(found?.properties).CachePolicyConfig;
}

const NORMALISED = z.object({
  uri: z.string(),
  headers: z.object({ accept: z.object({ value: z.string() }) }),
});

/** What the function makes of a request. */
function normalised(uri: string, accept: string) {
  const request = {
    method: 'GET',
    uri,
    querystring: {},
    headers: { accept: { value: accept } },
    cookies: {},
  };
  return NORMALISED.parse(run(codeOf(EXAMPLE, 'localex-storage-accept'), request));
}

function codeOf(synthesised: Synthesised, Name: string): string {
  return z
    .string()
    .parse(oneOf(synthesised, 'AWS::CloudFront::Function', { Name }).properties['FunctionCode']);
}

/** As CloudFront does: the code defines `handler`, which gets an event and nothing of Node. */
function run(code: string, request: object): unknown {
  const context = vm.createContext({ event: { version: '1.0', request } });
  return vm.runInContext(`${code}\nhandler(event)`, context, { timeout: 1000 });
}
