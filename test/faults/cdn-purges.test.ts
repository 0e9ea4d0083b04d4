import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isOver } from '#src/domain/runs.ts';
import { Run } from '#src/http/routes/runs.ts';
import { Photo } from '#src/http/schemas.ts';
import type { Client } from '#test/acceptance/client.ts';
import { FAKE_CREDENTIALS, type FakeCloudfront, startFakeCloudfront } from '#test/fakes/cloudfront.ts';
import { CDN_HOST } from '#test/fakes/cloudfront/standing-config.ts';
import { distinctPhoto, until } from '#test/support/app.ts';
import { rsaKeyPair } from '#test/support/signing-keys.ts';
import { type CrashingService, crashingService } from './crashing-service.ts';

/** The lease of a killed process, and the intervals at which CloudFront is asked. */
const RECOVERY_MS = 60_000;

let faulty: CrashingService;
let api: FakeCloudfront;
beforeEach(async () => {
  faulty = await crashingService();
  api = await startFakeCloudfront();
});
afterEach(async () => {
  await faulty.close();
  await api.close();
});

async function start() {
  const keyFile = join(faulty.dataDir, 'cloudfront.pem');
  await writeFile(keyFile, rsaKeyPair().privateKey, { mode: 0o600 });
  return faulty.start({
    CDN_DRIVER: 'cloudfront',
    CDN_URL: `https://${CDN_HOST}`,
    CLOUDFRONT_DISTRIBUTION_ID: api.distributionId,
    CLOUDFRONT_KEY_PAIR_ID: rsaKeyPair().id,
    CLOUDFRONT_PRIVATE_KEY_FILE: keyFile,
    CLOUDFRONT_ENDPOINT: api.endpoint,
    AWS_ACCESS_KEY_ID: FAKE_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: FAKE_CREDENTIALS.secretAccessKey,
  });
}

const creates = () => api.calls.filter(({ name }) => name.endsWith('/invalidation'));

async function readyPhoto(client: Client, token: string) {
  const item = await client.listing(token);
  const { body, filename } = await distinctPhoto();
  const file = { name: filename, type: 'image/jpeg', bytes: body };
  const reply = await client.upload(`/v1/items/${item}/photos`, file, { token });
  return client.untilState(reply.as(Photo).id, token, 'ready');
}

const left = async () =>
  (await faulty.db.selectFrom('cdn_purges').select('id').where('done_at', 'is', null).execute()).length;

test('kill -9 while CloudFront does not answer: after a restart the same call is made again, and is one purge', async () => {
  const first = await start();
  const token = await first.client.token('seller-1');
  const photo = await readyPhoto(first.client, token);
  expect(photo.variants.large?.auto.startsWith(`https://${CDN_HOST}/items/large/`)).toBe(true);
  // The worker looks at the distribution at its start.
  await until('the distribution to be looked at', async () => (api.calls.length > 0 ? true : null));
  api.faults.push('no answer');
  expect((await first.client.call('DELETE', `/v1/photos/${photo.id}`, { token })).status).toBe(204);
  await until('the purge to be sent', async () => (creates().length > 0 ? true : null));
  await first.service.kill9();
  expect(api.invalidations.all).toHaveLength(1);
  expect(await left()).toBe(11);

  await start();
  await until('the purge to be sent again', async () => (creates().length > 1 ? true : null), RECOVERY_MS);
  api.complete();
  await until('the purge to be done', async () => ((await left()) === 0 ? true : null), RECOVERY_MS);
  expect(api.invalidations.all).toHaveLength(1);
  expect(api.invalidations.all[0]?.paths.toSorted()).toEqual(
    ['large', 'medium', 'original', 'thumbnail'].map((variant) =>
      expect.stringMatching(new RegExp(`^/items/${variant}/[^/]+/${photo.id}-[0-9a-f]{12}\\.\\*$`)),
    ),
  );
});

test('throttled, failing and full: a run of 3,500 paths and 20 wildcards goes through, each path once', async () => {
  const { client } = await start();
  const token = await client.token('admin-1', 'admin');
  await until('the distribution to be looked at', async () => (api.calls.length > 0 ? true : null));
  api.minCreateIntervalMs = 1_500;
  api.faults.push('throttled', 'unavailable', 'lost answer');
  const singles = Array.from({ length: 3500 }, (_, index) => `items/large/p-${index}/x.jpg`);
  const wildcards = Array.from({ length: 20 }, (_, index) => `items/large/w-${index}/*`);
  const runs: string[] = [];
  for (const keys of [wildcards, ...chunks(singles, 1000)]) runs.push(await started(client, token, keys));
  const completing = setInterval(() => api.complete(), 3_000);
  try {
    for (const id of runs) {
      const run = await until('the run to be over', () => over(client, token, id), 110_000);
      expect(run).toMatchObject({ state: 'succeeded' });
    }
  } finally {
    clearInterval(completing);
  }
  const sent = api.invalidations.all.flatMap(({ paths }) => paths);
  expect(new Set(sent).size).toBe(sent.length);
  expect(sent.filter((path) => /\/w-\d+\/\*$/.test(path))).toHaveLength(20);
  expect(sent.filter((path) => /\/p-\d+\//.test(path))).toHaveLength(3500);
  expect(Math.max(...api.invalidations.all.map(({ paths }) => paths.length))).toBeLessThanOrEqual(3015);
}, 240_000);

function chunks(keys: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(keys.length / size) }, (_, index) =>
    keys.slice(index * size, (index + 1) * size),
  );
}

async function started(client: Client, token: string, keys: readonly string[]): Promise<string> {
  const reply = await client.call('POST', '/v1/admin/cdn/invalidations', { token, json: { keys } });
  expect(reply.status).toBe(202);
  return reply.as(Run).id;
}

async function over(client: Client, token: string, id: string) {
  const reply = await client.call('GET', `/v1/admin/runs/${id}?limit=1`, { token });
  const { run } = JSON.parse(reply.body.toString());
  const found = Run.parse(run);
  return isOver(found.state) ? found : null;
}
