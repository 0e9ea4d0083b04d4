import {
  CloudFrontClient,
  CreateCachePolicyCommand,
  CreateInvalidationCommand,
  GetDistributionConfigCommand,
  GetInvalidationCommand,
  ListCachePoliciesCommand,
  UpdateDistributionCommand,
} from '@aws-sdk/client-cloudfront';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FAKE_CREDENTIALS, type FakeCloudfront, startFakeCloudfront } from '#test/fakes/cloudfront.ts';

let fake: FakeCloudfront;
let client: CloudFrontClient;
beforeEach(async () => {
  fake = await startFakeCloudfront();
  client = new CloudFrontClient({
    endpoint: fake.endpoint,
    region: 'us-east-1',
    credentials: FAKE_CREDENTIALS,
    maxAttempts: 1,
  });
});
afterEach(async () => {
  client.destroy();
  await fake.close();
});

const purge = (reference: string, ...paths: string[]) =>
  client.send(
    new CreateInvalidationCommand({
      DistributionId: fake.distributionId,
      InvalidationBatch: { CallerReference: reference, Paths: { Quantity: paths.length, Items: paths } },
    }),
  );
const many = (count: number, prefix = '/items/') =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const named = (name: string) => expect.objectContaining({ name });

describe('the stand-in for CloudFront', () => {
  test('makes an invalidation that is in progress until it is completed', async () => {
    const { Invalidation } = await purge('a', '/items/a.jpg', '/items/b*');
    expect(Invalidation).toMatchObject({ Status: 'InProgress', InvalidationBatch: { CallerReference: 'a' } });
    fake.complete();
    const found = await client.send(
      new GetInvalidationCommand({ DistributionId: fake.distributionId, Id: Invalidation?.Id ?? '' }),
    );
    expect(found.Invalidation).toMatchObject({
      Status: 'Completed',
      InvalidationBatch: { Paths: { Quantity: 2, Items: ['/items/a.jpg', '/items/b*'] } },
    });
  });

  test('takes the same call twice for one, and refuses its reference for other paths', async () => {
    const first = await purge('a', '/items/a');
    expect((await purge('a', '/items/a')).Invalidation?.Id).toBe(first.Invalidation?.Id);
    await expect(purge('a', '/items/b')).rejects.toEqual(named('InvalidationBatchAlreadyExists'));
    expect(fake.invalidations.all).toHaveLength(1);
  });

  test('has at most 3,000 paths and 15 wildcards in progress, each counted by itself', async () => {
    await purge('a', ...many(3000));
    await expect(purge('b', '/items/one-more')).rejects.toEqual(named('TooManyInvalidationsInProgress'));
    await purge('c', ...many(15).map((path) => `${path}/*`));
    await expect(purge('d', '/profiles/*')).rejects.toEqual(named('TooManyInvalidationsInProgress'));
    fake.complete();
    await purge('e', '/items/one-more', '/profiles/*');
  });

  test.each(['items/a', '/items/*/a', '/items/ä', '/items/a b', '/items/%zz', `/${'a'.repeat(4000)}`])(
    'refuses the path %s',
    async (path) => {
      await expect(purge('a', path)).rejects.toEqual(named('InvalidArgument'));
    },
  );

  test('refuses too large a batch, an unknown distribution and a call without a signature', async () => {
    await expect(purge('a', ...many(3001))).rejects.toEqual(named('BatchTooLarge'));
    await expect(client.send(new GetDistributionConfigCommand({ Id: 'E2OTHER' }))).rejects.toEqual(
      named('NoSuchDistribution'),
    );
    const answer = await fetch(`${fake.endpoint}/2020-05-31/distribution/${fake.distributionId}/config`);
    expect(answer.status).toBe(403);
  });

  test('throttles, fails and loses answers as it is told', async () => {
    fake.faults.push('throttled', 'unavailable', 'lost request', 'lost answer');
    await expect(purge('a', '/items/a')).rejects.toEqual(named('Throttling'));
    await expect(purge('a', '/items/a')).rejects.toEqual(named('ServiceUnavailable'));
    await expect(purge('a', '/items/a')).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(fake.invalidations.all).toHaveLength(0);
    await expect(purge('a', '/items/a')).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(fake.invalidations.all).toHaveLength(1);
  });

  test('changes a distribution only under the ETag of its present version', async () => {
    const Id = fake.distributionId;
    const { DistributionConfig, ETag } = await client.send(new GetDistributionConfigCommand({ Id }));
    const change = (IfMatch: string | undefined, edit: object = {}) =>
      client.send(
        new UpdateDistributionCommand({
          Id,
          ...(IfMatch !== undefined && { IfMatch }),
          DistributionConfig: DistributionConfig && { ...DistributionConfig, ...edit },
        }),
      );
    await expect(change(undefined)).rejects.toEqual(named('InvalidIfMatchVersion'));
    await expect(change('E0OTHER')).rejects.toEqual(named('PreconditionFailed'));
    await expect(change(ETag, { CallerReference: 'other' })).rejects.toEqual(named('IllegalUpdate'));
    await expect(change(ETag, { Aliases: { Quantity: 2, Items: ['a.example.com'] } })).rejects.toEqual(
      named('InconsistentQuantities'),
    );
    const geo = { RestrictionType: 'whitelist', Quantity: 1, Items: ['XX'] };
    await expect(change(ETag, { Restrictions: { GeoRestriction: geo } })).rejects.toEqual(
      named('InvalidGeoRestrictionParameter'),
    );
    const changed = await change(ETag, { Comment: 'a < b & c' });
    expect(changed.ETag).not.toBe(ETag);
    const again = await client.send(new GetDistributionConfigCommand({ Id }));
    expect(again.DistributionConfig).toEqual({ ...DistributionConfig, Comment: 'a < b & c' });
    await expect(change(ETag)).rejects.toEqual(named('PreconditionFailed'));
  });

  test('keeps cache policies by name, and lists them in pages', async () => {
    const make = (Name: string, MaxTTL = 60) =>
      client.send(
        new CreateCachePolicyCommand({ CachePolicyConfig: { Name, MinTTL: 0, DefaultTTL: 60, MaxTTL } }),
      );
    await make('one');
    await make('two');
    await expect(make('one')).rejects.toEqual(named('CachePolicyAlreadyExists'));
    await expect(make('three', 1)).rejects.toEqual(named('InvalidArgument'));
    const page = await client.send(new ListCachePoliciesCommand({ Type: 'custom' }));
    expect(page.CachePolicyList?.Items).toHaveLength(1);
    expect(page.CachePolicyList?.NextMarker).toBe('1');
  });
});
