import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CloudfrontCdn } from '#src/adapters/cdn/cloudfront.ts';
import { createPurgeLedger } from '#src/db/purge-ledger.ts';
import { IMMUTABLE, PRIVATE } from '#src/domain/cache-policy.ts';
import { createCdnService } from '#src/services/cdn.service.ts';
import { type FakeCloudfront, startFakeCloudfront } from '#test/fakes/cloudfront.ts';
import { el, type Element, find, itemsAt, textAt } from '#test/fakes/cloudfront/xml.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { describeCdn } from './cdn.contract.ts';
import { cloudfrontOn, startCloudfront } from './cloudfront-under-test.ts';

describeCdn('CloudFront, by a stand-in for its API and an edge location of it', startCloudfront);

describe('CloudFront', () => {
  let database: TestDatabase;
  let api: FakeCloudfront;
  let cdn: CloudfrontCdn;
  beforeEach(async () => {
    database = await createTestDatabase();
    api = await startFakeCloudfront();
    cdn = cloudfrontOn(api, { ledger: createPurgeLedger(database.db) });
  });
  afterEach(async () => {
    await cdn.close();
    await api.close();
    await database.close();
  });

  const edited = (name: string, text: string) => (config: Element) => ({
    ...config,
    children: config.children.map((child) => (child.name === name ? el(name, text) : child)),
  });
  const behaviours = () =>
    itemsAt(api.distribution.config, 'CacheBehaviors').map((one) => textAt(one, 'PathPattern'));
  const minute = { ...IMMUTABLE, immutable: false, maxAgeSeconds: 60 };

  test('is on https only', () => {
    expect(() =>
      cloudfrontOn(api, { ledger: createPurgeLedger(database.db), url: 'http://cdn.example.com' }),
    ).toThrow(expect.objectContaining({ code: 'INVALID_CONFIGURATION' }));
  });

  test('keeps every other setting as it was when one is changed', async () => {
    const before = api.distribution.config;
    await cdn.configure({ geo: { kind: 'except', countries: ['FR', 'DE'] } });
    const { config } = api.distribution;
    expect(textAt(config, 'Restrictions', 'GeoRestriction', 'RestrictionType')).toBe('blacklist');
    for (const { name } of before.children.filter((child) => child.name !== 'Restrictions'))
      expect(find(config, name)?.children.length, name).toBe(find(before, name)?.children.length);
    expect(textAt(config, 'Comment')).toBe('A photo & its renditions');
  });

  test('changes nothing, not even the version, where all is so already', async () => {
    await cdn.configure({ geo: { kind: 'only', countries: ['DE', 'FR'] } });
    const { version } = api.distribution;
    await cdn.configure({ geo: { kind: 'only', countries: ['FR', 'DE'] }, aliases: ['cdn.example.com'] });
    expect(api.distribution.version).toBe(version);
  });

  test('loses no change that somebody else makes between reading and writing', async () => {
    let rounds = 0;
    api.onRead = () => {
      rounds += 1;
      if (rounds <= 3) api.editByOther(edited('Comment', `changed ${rounds} times`));
    };
    await cdn.configure({ geo: { kind: 'only', countries: ['DE'] } });
    expect(rounds).toBe(4);
    expect(textAt(api.distribution.config, 'Comment')).toBe('changed 3 times');
    expect(textAt(api.distribution.config, 'Restrictions', 'GeoRestriction', 'RestrictionType')).toBe(
      'whitelist',
    );
  });

  test('gives up, and says why, when somebody else is always faster', async () => {
    api.onRead = () => api.editByOther(edited('Comment', 'again'));
    await expect(cdn.configure({ geo: { kind: 'only', countries: ['DE'] } })).rejects.toMatchObject({
      code: 'VERSION_CONFLICT',
    });
  });

  test('keeps all of many changes made at one time', async () => {
    const hosts = ['a', 'b', 'c', 'd'].map((name) => `${name}.example.com`);
    await Promise.all(hosts.map((host) => cdn.configure({ aliases: [host] })));
    const names = itemsAt(api.distribution.config, 'Aliases').map(({ text }) => text);
    expect(names.toSorted()).toEqual([...hosts, 'cdn.example.com'].toSorted());
  });

  test('tries settings again through throttling and outages, and says when it may not', async () => {
    api.faults.push('throttled', 'unavailable', 'lost request');
    await cdn.configure({ aliases: ['a.example.com'] });
    api.faults.push('denied');
    await expect(cdn.configure({ aliases: ['b.example.com'] })).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
    });
  });

  test('gives a prefix a cache policy: a new behaviour before the one that served it, like it in all else', async () => {
    await cdn.setCacheRule({ pattern: 'items/thumbnail/*', policy: minute });
    const names = behaviours();
    expect(names.indexOf('items/thumbnail/*')).toBe(names.indexOf('items/*') - 1);
    const all = itemsAt(api.distribution.config, 'CacheBehaviors');
    const made = all.find((one) => textAt(one, 'PathPattern') === 'items/thumbnail/*');
    expect(textAt(made, 'TargetOriginId')).toBe('bucket');
    expect(textAt(made, 'ViewerProtocolPolicy')).toBe('redirect-to-https');
    const policy = api.cachePolicies.get(textAt(made, 'CachePolicyId') ?? '');
    expect(['MinTTL', 'DefaultTTL', 'MaxTTL'].map((name) => textAt(policy?.config, name))).toEqual([
      '60',
      '60',
      '60',
    ]);
  });

  test('changes the policy of a prefix that has one, among others, and makes none twice', async () => {
    for (const pattern of ['items/large/*', 'items/medium/*', 'items/thumbnail/*'])
      await cdn.setCacheRule({ pattern, policy: minute });
    await cdn.setCacheRule({ pattern: 'items/medium/*', policy: { ...minute, maxAgeSeconds: 5 } });
    const longest = [...api.cachePolicies.values()].map(({ config }) => textAt(config, 'MaxTTL'));
    expect(longest).toEqual(['60', '5', '60']);
    expect(behaviours().filter((pattern) => pattern === 'items/medium/*')).toHaveLength(1);
  });

  test('caches nothing of a prefix whose policy says so', async () => {
    await cdn.setCacheRule({ pattern: 'quarantine/view/*', policy: PRIVATE });
    const made = itemsAt(api.distribution.config, 'CacheBehaviors').find(
      (one) => textAt(one, 'PathPattern') === 'quarantine/view/*',
    );
    expect(textAt(made, 'CachePolicyId')).toBe('4135ea2d-6df8-44a3-9df3-4b5a84be39ad');
    expect(textAt(made, 'TrustedKeyGroups', 'Enabled')).toBe('true');
  });

  test('keeps Accept in the cache key of what our service negotiates', async () => {
    await cdn.setCacheRule({ pattern: 'profiles/thumbnail/*/current', policy: minute });
    const [policy] = [...api.cachePolicies.values()];
    const headers = find(policy?.config, 'ParametersInCacheKeyAndForwardedToOrigin', 'HeadersConfig');
    expect(itemsAt(headers, 'Headers').map(({ text }) => text)).toEqual(['Accept']);
  });

  test('says what of the distribution is not as configured', async () => {
    expect(await cdn.inspect()).toEqual([]);
    api.editByOther(edited('Enabled', 'false'));
    const other = cloudfrontOn(api, {
      ledger: createPurgeLedger(database.db),
      url: 'https://photos.example.org',
      geo: { kind: 'only', countries: ['DE'] },
    });
    expect(await other.inspect()).toEqual([
      'the distribution is not enabled',
      'photos.example.org of CDN_URL is none of its alternate domain names',
      'its geographic restriction is not that of CDN_GEO_ALLOW or CDN_GEO_DENY',
    ]);
    await other.close();
  });

  test('purges every spelling of a key whose owner’s id can be spelled in two ways', async () => {
    await cdn.invalidate(['profiles/original/a@b:c|d/x.jpg', 'items/large/bike/x.jpg']);
    const { db } = database;
    const paths = await db.selectFrom('cdn_purges').select('path').orderBy('id').execute();
    expect(paths.map(({ path }) => path)).toEqual([
      'profiles/original/a@b:c%7Cd/x.jpg',
      'profiles/original/a%40b%3Ac%7Cd/x.jpg',
      'items/large/bike/x.jpg',
    ]);
  });

  test('answers from the location that its answers name, or the nearest one to a viewer', async () => {
    const tried = await startCloudfront();
    const home = { latitude: 52.5, longitude: 13.4 };
    const service = createCdnService({ cdn: { ...tried.reachable, name: 'cloudfront' }, home });
    expect(await service.getEdgeLocation()).toMatchObject({
      code: 'FRA56-P12',
      city: 'Frankfurt',
      country: 'DE',
      how: 'answered',
      distanceKm: expect.closeTo(437, -1),
    });
    expect(await service.getEdgeLocation({ latitude: -36.8, longitude: 174.7 })).toMatchObject({
      code: 'AKL',
      how: 'nearest',
    });
    await tried.close();
    const gone = createCdnService({ cdn: { ...cdn, url: () => 'http://127.0.0.1:9/' }, home });
    expect(await gone.getEdgeLocation()).toMatchObject({ code: 'TXL', how: 'nearest' });
  });
});
