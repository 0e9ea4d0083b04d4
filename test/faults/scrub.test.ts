import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { Run } from '#src/http/routes/runs.ts';
import { Photo } from '#src/http/schemas.ts';
import { listVariants } from '#src/db/variants.ts';
import { fileId } from '#src/domain/ids.ts';
import { addressesOf, type Client, expectProblem } from '#test/acceptance/client.ts';
import { distinctPhoto, expectNoOrphans, until, untilState } from '#test/support/app.ts';
import { harmTo } from '#test/support/harm.ts';
import { type CrashingService, crashingService } from './crashing-service.ts';

/** Row 30: an object edited or removed behind our back. */
let faulty: CrashingService;
let harm: ReturnType<typeof harmTo>;
beforeEach(async () => {
  faulty = await crashingService();
  harm = harmTo(faulty.dataDir);
});
afterEach(() => faulty.close());

const RunPage = z.object({
  run: Run,
  actions: z.array(z.object({ action: z.string(), subject: z.string() }).loose()),
  next: z.string().nullable(),
});

async function uploadReady(client: Client, count: number) {
  const token = await client.token('seller-1');
  let item = '';
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    if (index % 10 === 0) item = await client.listing(token);
    const { body, filename } = await distinctPhoto();
    const file = { name: filename, type: 'image/jpeg', bytes: body };
    const reply = await client.upload(`/v1/items/${item}/photos`, file, { token });
    ids.push(reply.as(Photo).id);
  }
  for (const id of ids) await untilState(faulty, id, 'ready');
  return { token, item, ids };
}

const keysOf = async (id: string) => listVariants(faulty.db, [fileId(id)]);
async function keyOf(id: string, name: string, format = 'jpeg'): Promise<string> {
  const row = (await keysOf(id)).find((found) => found.name === name && found.format === format);
  if (row === undefined) throw new Error(`Expected ${id} to have a ${name}`);
  return row.key;
}

async function look(client: Client, admin: string, id: string) {
  const reply = await client.call('GET', `/v1/admin/runs/${id}?limit=100`, { token: admin });
  return reply.as(RunPage);
}

async function untilDone(client: Client, admin: string, id: string, limitMs = 30_000) {
  return until(
    'the scrub to be done',
    async () => {
      const page = await look(client, admin, id);
      return page.run.finishedAt === null ? null : page;
    },
    limitMs,
  );
}

/** Every address that the gallery offers gives the bytes that the rows know. */
async function expectServed(client: Client, item: string): Promise<void> {
  for (const photo of (await client.gallery(item)).photos) {
    const rows = await keysOf(photo.id);
    for (const { url } of addressesOf(photo).objects) {
      const reply = await client.call('GET', url);
      expect(reply.status, url).toBe(200);
      const row = rows.find(({ key }) => url.endsWith(key));
      expect(createHash('sha256').update(reply.body).digest('hex'), url).toBe(row?.sha256);
    }
    for (const url of addressesOf(photo).urls) expect((await client.call('GET', url)).status, url).toBe(200);
  }
}

test('what was edited and removed on the disk is found, mended where it can be, and never served', async () => {
  const { client } = await faulty.start();
  const { item, ids } = await uploadReady(client, 3);
  const [edited = '', removed = '', lost = ''] = ids;
  const admin = await client.token('admin-1', 'admin');
  await expectServed(client, item);
  await harm.flipBit(await keyOf(edited, 'large', 'webp'));
  await harm.remove(await keyOf(removed, 'thumbnail'));
  const original = await keyOf(lost, 'original');
  await harm.replace(original, (await distinctPhoto()).body, { keepsEtag: true });

  expectProblem(
    await client.call('POST', '/v1/admin/scrub', { token: await client.token('x'), json: {} }),
    403,
    'FORBIDDEN',
  );
  const dry = await client.call('POST', '/v1/admin/scrub', {
    token: admin,
    json: { deep: true, dryRun: true },
  });
  expect(dry.status).toBe(202);
  const planned = await untilDone(client, admin, dry.as(Run).id);
  const asked = await client.call('POST', '/v1/admin/scrub', { token: admin, json: { deep: true } });
  const done = await untilDone(client, admin, asked.as(Run).id);
  expect(done.run).toMatchObject({
    state: 'succeeded',
    result: { checked: 21, damaged: 2, missing: 1, rebuilt: 2, lost: 1, failed: 0 },
  });
  const brief = (page: typeof done) =>
    page.actions.map(({ action, subject }) => `${action} ${subject}`).toSorted();
  expect(brief(planned)).toEqual(brief(done));

  expect((await client.call('GET', `/cdn/${original}`)).status).toBe(404);
  const shown = (await client.gallery(item)).photos;
  expect(shown).toHaveLength(3);
  const sad = shown.find((photo) => photo.id === lost);
  expect(sad).toMatchObject({ state: 'ready', warnings: ['DAMAGED'] });
  expect(sad?.variants.original).toBeUndefined();
  await expectServed(client, item);

  for (const id of ids) for (const { key } of await keysOf(id)) if (key !== original) await harm.remove(key);
  const scrub = async (json: object) => {
    const started = await client.call('POST', '/v1/admin/scrub', { token: admin, json });
    return (await untilDone(client, admin, started.as(Run).id)).run;
  };
  const stopped = await scrub({});
  expect(stopped).toMatchObject({ state: 'failed', reason: { code: 'CONFLICT' } });
  expect(stopped.reason?.message).toContain('20 of 21 objects');
  expect(await scrub({ acceptLoss: true })).toMatchObject({ state: 'succeeded', result: { lost: 20 } });
});

test('kill -9 in the middle of a scrub: another process goes on with it, and it ends well', async () => {
  const slow = { SCRUB_BYTES_PER_SECOND: '1200 KiB' };
  const first = await faulty.start(slow);
  const { ids, item } = await uploadReady(first.client, 20);
  const broken = ids.slice(-3);
  for (const id of broken) await harm.flipBit(await keyOf(id, 'medium', 'webp'));
  const admin = await first.client.token('admin-1', 'admin');
  const asked = await first.client.call('POST', '/v1/admin/scrub', { token: admin, json: { deep: true } });
  const { id } = asked.as(Run);
  await until(
    'the first part to be done',
    async () => {
      const { run } = await look(first.client, admin, id);
      return run.progress.done >= 100 ? true : null;
    },
    60_000,
  );
  await first.service.kill9();
  const [row] = await faulty.db.selectFrom('runs').selectAll().execute();
  expect(row).toMatchObject({ state: 'running', attempts: 1 });
  expect(row?.progress.done).toBeLessThan(140);

  const { client } = await faulty.start();
  const again = await client.token('admin-1', 'admin');
  const { run, actions } = await untilDone(client, again, id, 90_000);
  expect(run).toMatchObject({
    state: 'succeeded',
    result: { checked: 140, damaged: 3, rebuilt: 3, lost: 0 },
  });
  expect(run.progress).toMatchObject({ done: 140, total: 140 });
  expect(actions.filter(({ action }) => action === 'rebuild')).toHaveLength(3);
  await expectServed(client, item);
  await expectNoOrphans(faulty);
});
