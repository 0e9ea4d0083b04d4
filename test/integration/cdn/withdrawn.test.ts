import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listProbes } from '#src/db/cdn-probes.ts';
import { saveCacheRule } from '#src/db/cache-rules.ts';
import type { Principal } from '#src/domain/access.ts';
import { fileId } from '#src/domain/ids.ts';
import { isOver } from '#src/domain/runs.ts';
import { probeWithdrawn } from '#src/jobs/probe-withdrawn.ts';
import type { Photo } from '#src/services/photo.ts';
import {
  MODERATOR,
  newItem,
  newSeller,
  photoFile,
  startApp,
  type TestApp,
  until,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';

const ADMIN: Principal = { userId: 'admin-1', roles: ['admin'] };

let app: TestApp;
let server: Server;
/** What stands before the edge: answers itself and says so, or does not. */
let before: ((path: string, res: ServerResponse) => boolean) | null;
let asked: string[];

beforeEach(async () => {
  before = null;
  asked = [];
  server = createServer((req, res) => {
    asked.push(`${req.method} ${req.url}`);
    if (before?.(req.url ?? '', res) === true) return;
    if (!app.edge.handle(req, res)) res.writeHead(418).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  app = await startApp({ env: { CDN_URL: `http://127.0.0.1:${port}/cdn` } });
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await app.close();
});

async function readyPhoto(seller = newSeller()): Promise<{ seller: Principal; photo: Photo }> {
  const answer = await app.files.uploadItemPhoto(seller, await newItem(app, seller), await photoFile(), {
    waitMs: 0,
  });
  await untilState(app, answer.photo.id, 'ready');
  return { seller, photo: await app.files.getPhoto(seller, fileId(answer.photo.id)) };
}

/** Probes that are due later are due now. */
async function probe(): Promise<void> {
  await untilDelivered(app);
  await app.db
    .updateTable('cdn_probes')
    .set({ due_at: new Date(0) })
    .where('state', '=', 'waiting')
    .execute();
  await probeWithdrawn(app.jobs);
}

const proof = async (photo: Photo) => (await listProbes(app.db, photo.id))[0];
/** As admins read it. */
const ledger = async (photo: Photo) => {
  const filter = { fileId: fileId(photo.id), action: 'removal.proof' };
  return (await app.audit.list(ADMIN, filter, { limit: 10 })).entries;
};
const takeDown = (photo: Photo) =>
  app.review.decide(MODERATOR, fileId(photo.id), { decision: 'takedown', reason: 'A person is shown.' });

describe('what was withdrawn', () => {
  test('is asked for at every public URL after a take-down, and the answers are kept', async () => {
    const { photo } = await readyPhoto();
    const urls = Object.values(photo.variants).flatMap((variant) =>
      variant === undefined ? [] : [variant.auto, ...Object.values(variant.formats).map(({ url }) => url)],
    );
    for (const url of urls) expect((await fetch(url)).status).toBe(200);
    await takeDown(photo);
    await until('the proof', async () => {
      await probe();
      return (await proof(photo))?.state === 'gone' ? true : null;
    });
    const found = await proof(photo);
    expect(found?.answers.map(({ path, status }) => `${status} ${app.cdn.url(path)}`).toSorted()).toEqual(
      urls.map((url) => `404 ${url}`).toSorted(),
    );
    expect(found?.probed_at).not.toBeNull();
    expect(await ledger(photo)).toMatchObject([
      { userId: 'schedule', details: { state: 'gone', answers: found?.answers } },
    ]);
    for (const url of urls) expect((await fetch(url)).status).toBe(404);
  });

  test('is shown to be gone after a deletion too, by the schedule of the worker', async () => {
    const { seller, photo } = await readyPhoto();
    await app.files.deletePhoto(seller, fileId(photo.id));
    await expect.poll(async () => (await proof(photo))?.state, { timeout: 15_000 }).toBe('gone');
    await expect(app.files.getPhoto(seller, fileId(photo.id))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await ledger(photo)).toMatchObject([{ details: { state: 'gone' } }]);
  });

  test('is purged and asked for again while some cache still serves it', async () => {
    const { photo } = await readyPhoto();
    const key = new URL(photo.variants.large?.formats.jpeg?.url ?? '').pathname;
    let times = 0;
    before = (path, res) => {
      if (path !== key || ++times > 2) return false;
      res.writeHead(200, { 'x-cache': 'Hit from somewhere' }).end('old');
      return true;
    };
    await takeDown(photo);
    await until('the proof', async () => {
      await probe();
      return (await proof(photo))?.state === 'gone' ? true : null;
    });
    expect(times).toBe(3);
    const complaints = app.lines.filter(({ message }) => message.includes('still served'));
    expect(complaints).toHaveLength(2);
    expect(complaints[0]).toMatchObject({ level: 'error', details: { fileId: photo.id } });
    expect(complaints[0]?.details).toMatchObject({
      answers: [{ path: key.slice('/cdn/'.length), status: 200, cache: 'Hit from somewhere' }],
    });
  });

  test('is not called gone when nobody answers, and given up with an error after a long time', async () => {
    const { photo } = await readyPhoto();
    before = (_path, res) => {
      res.destroy();
      return true;
    };
    await takeDown(photo);
    await probe();
    await until('an attempt', async () => ((await proof(photo))?.answers.length === 11 ? true : null));
    expect(await proof(photo)).toMatchObject({
      state: 'waiting',
      answers: expect.arrayContaining([expect.objectContaining({ status: null })]),
    });
    expect(await ledger(photo)).toEqual([]);
    await app.db.updateTable('cdn_probes').set({ attempts: 19 }).execute();
    await probe();
    expect(await proof(photo)).toMatchObject({ state: 'unanswered' });
    expect(await ledger(photo)).toMatchObject([{ details: { state: 'unanswered' } }]);
    expect(app.lines.filter(({ level }) => level === 'error').at(-1)?.message).toMatch(
      /not shown to be gone/,
    );
  });

  test('is not asked for before its purge is done', async () => {
    const { photo } = await readyPhoto();
    let isPurged = false;
    const jobs = { ...app.jobs, cdn: { ...app.cdn, isPurged: async () => isPurged } };
    await takeDown(photo);
    await untilDelivered(app);
    const due = { due_at: new Date(0), state: 'waiting' as const };
    await app.db.updateTable('cdn_probes').set(due).execute();
    asked.length = 0;
    expect(await probeWithdrawn(jobs)).toBe(0);
    expect(asked).toEqual([]);
    isPurged = true;
    await app.db.updateTable('cdn_probes').set(due).execute();
    expect(await probeWithdrawn(jobs)).toBe(1);
  });

  test('is rightly served again after an appeal that was granted, and needs no proof then', async () => {
    const { seller, photo } = await readyPhoto();
    const id = fileId(photo.id);
    await takeDown(photo);
    await app.files.appeal(seller, id, 'It is my bicycle.');
    await app.review.decide(MODERATOR, id, { decision: 'approve', reason: 'So it is.' });
    await untilState(app, photo.id, 'ready');
    await untilDelivered(app);
    const original = new URL(photo.variants.original?.auto ?? '').pathname.slice('/cdn/'.length);
    expect((await fetch(app.cdn.url(original))).status).toBe(200);
    const again = { state: 'waiting', due_at: new Date(0) } as const;
    await app.db.updateTable('cdn_probes').set(again).execute();
    await probeWithdrawn(app.jobs);
    // Its renditions were made anew and have other addresses: the old ones are gone.
    const found = await proof(photo);
    expect(found?.state).toBe('gone');
    expect(found?.answers.map(({ path }) => path)).not.toContain(original);
    await app.db
      .updateTable('cdn_probes')
      .set({ ...again, paths: JSON.stringify([original]) })
      .execute();
    await probeWithdrawn(app.jobs);
    expect(await proof(photo)).toMatchObject({
      state: 'superseded',
      answers: [],
      probed_at: expect.any(Date),
    });
  });

  test('is asked for as long as no published photo stands on it, whatever object lies there', async () => {
    const { photo } = await readyPhoto();
    const rows = await app.db.selectFrom('objects').selectAll().where('file_id', '=', photo.id).execute();
    await takeDown(photo);
    await untilDelivered(app);
    await app.db
      .insertInto('objects')
      .values(rows)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await app.db
      .updateTable('cdn_probes')
      .set({ state: 'waiting', due_at: new Date(0) })
      .execute();
    await probeWithdrawn(app.jobs);
    expect(await proof(photo)).toMatchObject({ state: 'gone' });
  });
});

describe('what admins ask of the CDN', () => {
  const run = async (kind: 'cdn-invalidation' | 'cdn-warm', keys: readonly string[], dryRun = false) => {
    const { id } = await app.runs.start(ADMIN, kind, { keys }, { dryRun });
    return until(`run ${id} to be over`, async () => {
      const found = await app.runs.get(ADMIN, id, { limit: 50 });
      return isOver(found.run.state) ? found : null;
    });
  };

  test('is warmed through the CDN, with what failed on record', async () => {
    const { photo } = await readyPhoto();
    const auto = new URL(photo.variants.large?.auto ?? '').pathname.slice('/cdn/'.length);
    const missing = auto.replace('.auto', '.png');
    asked.length = 0;
    const dry = await run('cdn-warm', [auto], true);
    expect(dry.run).toMatchObject({ state: 'succeeded', result: { keys: 1, warmed: 0 } });
    expect(asked).toEqual([]);
    const { run: done, actions } = await run('cdn-warm', [auto, missing]);
    expect(done).toMatchObject({
      state: 'succeeded',
      progress: { done: 2, total: 2 },
      result: { keys: 2, warmed: 2, failed: 1, bytes: expect.any(Number) },
    });
    expect(actions.map(({ action, subject, details }) => ({ action, subject, details }))).toEqual([
      { action: 'warm', subject: auto, details: {} },
      { action: 'warm-failed', subject: missing, details: { status: 404 } },
    ]);
    expect(asked.filter((line) => line.endsWith(auto))).toEqual([`GET /cdn/${auto}`, `GET /cdn/${auto}`]);
  });

  test('is forgotten by the CDN, and the run is over when it is', async () => {
    const { photo } = await readyPhoto();
    const { jpeg, webp } = photo.variants.large?.formats ?? {};
    const key = new URL(jpeg?.url ?? '').pathname.slice('/cdn/'.length);
    for (const url of [jpeg?.url, webp?.url]) await fetch(url ?? '');
    const { run: done, actions } = await run('cdn-invalidation', [key]);
    expect(done).toMatchObject({ state: 'succeeded', result: { keys: 1 }, progress: { done: 1, total: 1 } });
    expect(actions).toMatchObject([{ action: 'purge', subject: key }]);
    const dry = await run('cdn-invalidation', ['items/*'], true);
    expect(dry.actions).toMatchObject([{ action: 'purge', subject: 'items/*' }]);
  });

  test('is refused, also when it comes past the routes, for what the CDN does not serve', async () => {
    const { run: done } = await run('cdn-invalidation', ['temp/uploads/*']);
    expect(done).toMatchObject({ state: 'failed', reason: { code: 'INVALID_KEY' } });
    await expect(
      app.runs.start(newSeller(), 'cdn-invalidation', { keys: ['items/*'] }, { dryRun: false }),
    ).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  test('reaches every process: a cache policy is kept, told and read again', async () => {
    const { photo } = await readyPhoto();
    const url = photo.variants.large?.formats.jpeg?.url ?? '';
    expect((await fetch(url)).headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    await app.cdnService.configureCachePolicy('items/large/*', {
      maxAgeSeconds: 600,
      visibility: 'public',
      immutable: false,
    });
    expect((await fetch(url)).headers.get('cache-control')).toBe('public, max-age=600');
    expect(await app.db.selectFrom('cdn_cache_rules').select('pattern').execute()).toEqual([
      { pattern: 'items/large/*' },
    ]);
    // Another process, which told through the database.
    await saveCacheRule(app.db, {
      pattern: 'items/large/*',
      policy: { maxAgeSeconds: 5, visibility: 'public', immutable: false },
    });
    await expect
      .poll(async () => (await fetch(url)).headers.get('cache-control'), { timeout: 5_000 })
      .toBe('public, max-age=5');
    expect(await app.cdnService.getEdgeLocation()).toMatchObject({ code: 'local', how: 'answered' });
  });
});
