import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { FAKE_CREDENTIALS, type FakeCloudfront, startFakeCloudfront } from '#test/fakes/cloudfront.ts';
import { CDN_HOST } from '#test/fakes/cloudfront/standing-config.ts';
import { textAt } from '#test/fakes/cloudfront/xml.ts';
import { startApp, until } from '#test/support/app.ts';
import { rsaKeyPair } from '#test/support/signing-keys.ts';

let folder = '';
let api: FakeCloudfront;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'localex-cloudfront-'));
  await writeFile(join(folder, 'key.pem'), rsaKeyPair().privateKey);
  // Where the SDK's default chain looks first.
  process.env['AWS_ACCESS_KEY_ID'] = FAKE_CREDENTIALS.accessKeyId;
  process.env['AWS_SECRET_ACCESS_KEY'] = FAKE_CREDENTIALS.secretAccessKey;
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  api = await startFakeCloudfront();
});
afterEach(() => api.close());

const env = (keyFile = 'key.pem') => ({
  CDN_DRIVER: 'cloudfront',
  CDN_URL: `https://${CDN_HOST}`,
  CLOUDFRONT_DISTRIBUTION_ID: api.distributionId,
  CLOUDFRONT_KEY_PAIR_ID: rsaKeyPair().id,
  CLOUDFRONT_PRIVATE_KEY_FILE: join(folder, keyFile),
  CLOUDFRONT_ENDPOINT: api.endpoint,
});

test('a key that is not there, or is no key, keeps the service from starting, by the name of its setting', async () => {
  await writeFile(join(folder, 'wrong.pem'), 'not a key');
  for (const file of ['missing.pem', 'wrong.pem'])
    await expect(startApp({ env: env(file) }), file).rejects.toMatchObject({
      code: 'INVALID_CONFIGURATION',
      message: expect.stringMatching(/^CLOUDFRONT_PRIVATE_KEY_FILE: /),
    });
});

test('a worker makes the distribution’s countries those of the configuration, and carries purges to it', async () => {
  const app = await startApp({ env: { ...env(), CDN_GEO_ALLOW: 'DE,AT' } });
  await until('the countries', async () =>
    textAt(api.distribution.config, 'Restrictions', 'GeoRestriction', 'Quantity') === '2' ? true : null,
  );
  const ticket = await app.cdnService.invalidateCache(['items/large/bike-1/*']);
  await until('the purge', async () => {
    api.complete();
    return (await app.cdn.isPurged(ticket)) ? true : null;
  });
  expect(api.invalidations.all.map(({ paths }) => paths)).toEqual([['/items/large/bike-1/*']]);
  await app.close();
});

test('a worker says what of the distribution does not fit, and goes on when it may not look', async () => {
  const app = await startApp({ env: { ...env(), CDN_URL: 'https://photos.example.org' } });
  const messages = (of: typeof app) => of.lines.map(({ message }) => message);
  await expect.poll(() => messages(app)).toContain('the distribution is not as configured');
  await app.close();
  api.faults.push('denied');
  const other = await startApp({ env: env() });
  await expect.poll(() => messages(other)).toContain('the distribution could not be looked at');
  await other.close();
});
