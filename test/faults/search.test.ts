import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Run } from '#src/http/routes/runs.ts';
import { FoundPhotos } from '#src/http/routes/search.ts';
import { Photo } from '#src/http/schemas.ts';
import type { Client } from '#test/acceptance/client.ts';
import { distinctPhoto, until } from '#test/support/app.ts';
import { type CutProxy, startCutProxy } from '#test/support/cut-proxy.ts';
import {
  askNode,
  newPrefix,
  NO_OPENSEARCH,
  OPENSEARCH_URL,
  removeIndexes,
} from '#test/support/opensearch.ts';
import { type CrashingService, crashingService } from './crashing-service.ts';

const Ready = z.object({
  status: z.string(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), degraded: z.boolean().optional() })),
});
const title = NO_OPENSEARCH === undefined ? '' : ` (skipped: ${NO_OPENSEARCH})`;

describe.skipIf(NO_OPENSEARCH !== undefined)(`OpenSearch in trouble${title}`, () => {
  let faulty: CrashingService;
  let proxy: CutProxy;
  let client: Client;
  let token: string;
  let admin: string;
  let item: string;
  let env: Record<string, string>;

  beforeEach(async () => {
    faulty = await crashingService();
    proxy = await startCutProxy(OPENSEARCH_URL);
    env = { OPENSEARCH_URL: proxy.url, OPENSEARCH_PREFIX: newPrefix() };
  });
  afterEach(async () => {
    await faulty.close();
    await proxy.close();
    await removeIndexes(env['OPENSEARCH_PREFIX'] ?? '');
  });

  async function start() {
    const started = await faulty.start(env);
    ({ client } = started);
    token = await client.token('seller-1', 'seller');
    admin = await client.token('admin-1', 'admin');
    item = await client.listing(token);
    return started.service;
  }
  async function upload(): Promise<string> {
    const { body, filename } = await distinctPhoto();
    const file = { name: filename, type: 'image/jpeg', bytes: body };
    const { id } = (await client.upload(`/v1/items/${item}/photos`, file, { token })).as(Photo);
    await client.untilState(id, token, 'ready');
    return id;
  }
  /** Null while the search does not answer. */
  async function found(): Promise<string | null> {
    const reply = await client.call('GET', '/v1/search/photos?sellerId=seller-1');
    if (reply.status === 503) return null;
    return reply
      .as(FoundPhotos)
      .photos.map(({ id }) => id)
      .toSorted()
      .join();
  }
  const untilFound = (ids: readonly string[]) =>
    until(
      `a search to find ${ids.length} photos`,
      async () => ((await found()) === ids.toSorted().join() ? true : null),
      60_000,
    );
  async function rebuilt(dryRun: boolean) {
    const asked = await client.call('POST', '/v1/admin/search/rebuild', { token: admin, json: { dryRun } });
    const { id } = asked.as(Run);
    return until(
      'the rebuild to end',
      async () => {
        const reply = await client.call('GET', `/v1/admin/runs/${id}`, { token: admin });
        const { run } = z.object({ run: Run }).parse(JSON.parse(reply.body.toString()));
        return run.finishedAt === null ? null : run;
      },
      60_000,
    );
  }
  const searchStanding = async () =>
    (await client.call('GET', '/readyz')).as(Ready).checks.find(({ name }) => name === 'search');

  test('while it is away uploads are as ever, and once it is back the index catches up and is what the rows give', async () => {
    await start();
    const first = await upload();
    await untilFound([first]);

    await proxy.close();
    const second = await upload();
    const third = await upload();
    await client.call('DELETE', `/v1/photos/${first}`, { token });
    expect((await client.gallery(item)).photos.map(({ id }) => id)).toEqual([second, third]);
    const refused = await client.call('GET', '/v1/search/photos');
    expect(refused).toMatchObject({ status: 503 });
    expect(JSON.parse(refused.body.toString())).toMatchObject({ code: 'SEARCH_UNAVAILABLE' });
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await searchStanding()).toEqual({ name: 'search', ok: false, degraded: true });

    await proxy.restore();
    await untilFound([second, third]);
    expect(await searchStanding()).toEqual({ name: 'search', ok: true });
    const compared = await rebuilt(true);
    expect(compared).toMatchObject({ state: 'succeeded', result: { documents: 2, different: 0 } });
    const made = await rebuilt(false);
    expect(made).toMatchObject({
      state: 'succeeded',
      result: { documents: 2, hash: compared.result?.['hash'] },
    });
    expect(made.result?.['index']).not.toBe(compared.result?.['index']);
    await untilFound([second, third]);
  });

  test('a service that starts without it takes photos, and has them found once it is there', async () => {
    await proxy.close();
    await start();
    const photo = await upload();
    expect((await client.call('GET', '/v1/search/photos')).status).toBe(503);
    await proxy.restore();
    await untilFound([photo]);
  });

  test('an index that was lost is made anew from the rows when the service starts', async () => {
    const service = await start();
    const photo = await upload();
    await untilFound([photo]);
    await service.stop();
    await askNode('DELETE', `/${env['OPENSEARCH_PREFIX']}-photos-v1-*`);
    await start();
    await untilFound([photo]);
    expect(await rebuilt(true)).toMatchObject({ result: { documents: 1, different: 0 } });
  });

  test('an index of somebody else stops the start with what to do', async () => {
    await askNode('PUT', `/${env['OPENSEARCH_PREFIX']}-photos-v1`, {
      mappings: { properties: { x: { type: 'text' } } },
    });
    await expect(faulty.start(env)).rejects.toThrow(
      /OPENSEARCH_URL cannot be used: it was not made by this service\. Give OPENSEARCH_PREFIX another value/,
    );
  });
});
