import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import { objectKey } from '#src/domain/keys.ts';
import { scrubObjects } from '#src/jobs/scrub.ts';
import { startDueScrub } from '#src/jobs/scrub/schedule.ts';
import { newSeller, SELLER, startApp, type TestApp, untilDelivered } from '#test/support/app.ts';
import { harmTo } from '#test/support/harm.ts';
import {
  context,
  expectWhole,
  openReplica,
  readyPhoto,
  type Replica,
  scrub,
  scrubUnderFaults,
} from './scrub-harness.ts';

let app: TestApp;
let replica: Replica;
let harm: ReturnType<typeof harmTo>;
beforeAll(async () => {
  replica = await openReplica();
  app = await startApp({ backups: [replica.backup] });
  harm = harmTo(app.dataDir);
});
afterAll(async () => {
  await app.close();
  await replica.close();
});

/** Everything that a dry run must leave as it is. */
async function snapshot() {
  const rows = async (table: 'objects' | 'object_checks' | 'files' | 'variants' | 'outbox') =>
    (await app.db.selectFrom(table).selectAll().execute()).toSorted((a, b) =>
      JSON.stringify(a) < JSON.stringify(b) ? -1 : 1,
    );
  const stored = [];
  for await (const object of app.storage.listFiles('')) stored.push(object);
  return [
    await rows('objects'),
    await rows('object_checks'),
    await rows('files'),
    await rows('variants'),
    await rows('outbox'),
    stored,
  ];
}

test('a dry run says what would be done, and does nothing of it', async () => {
  const [lost, kept] = [await readyPhoto(app), await readyPhoto(app)];
  await untilDelivered(app);
  for (const key of [kept.key('original'), kept.key('thumbnail')]) {
    const object = await app.store.get(objectKey(key));
    await replica.store.put(object.info.key, object.body, { contentType: 'image/jpeg' });
  }
  await harm.flipBit(lost.key('original'));
  await harm.flipBit(lost.key('large'));
  await harm.flipBit(kept.key('original'));
  await harm.remove(kept.key('medium', 'webp'));
  const before = await snapshot();
  const dry = await scrub(app, { deep: true, dryRun: true });
  expect(await snapshot()).toEqual(before);
  const done = (about: string[]) => about.filter((line) => !/^(damaged|missing)/.test(line));
  expect(done(dry.about(lost.id))).toEqual(['set-aside original.jpg', 'set-aside large.jpg']);
  expect(done(dry.about(kept.id))).toEqual(['restore original.jpg', 'rebuild medium.webp']);
  const real = await scrub(app, { deep: true });
  expect(done(real.about(lost.id))).toEqual(done(dry.about(lost.id)));
  expect(done(real.about(kept.id))).toEqual(done(dry.about(kept.id)));
  expect(real.run.result).toMatchObject({ lost: 2, restored: 1, rebuilt: 1 });
  await expectWhole(app, kept.id);
});

const underFaults = (bytesPerSecond?: number) => scrubUnderFaults(app, bytesPerSecond);

describe('a scrub', () => {
  test('that dies between two steps is done again from there, and what it had mended is not mended twice', async () => {
    const photo = await readyPhoto(app);
    await replica.replicate(app);
    await harm.flipBit(photo.key('original'));
    const { deps } = underFaults();
    const said: string[] = [];
    const dying = context({
      checkpoint: async (cursor, _progress, actions = []) => {
        if (actions.some(({ action }) => action === 'restore'))
          throw new StorageError('DATABASE_UNAVAILABLE');
        dying.saved.push(JSON.parse(JSON.stringify(cursor)));
        said.push(...actions.map(({ action, subject }) => `${action} ${subject}`));
      },
    });
    await expect(scrubObjects(deps)(dying)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect(said).toContain(`damaged ${photo.key('original')}`);
    await expectWhole(app, photo.id);
    const { etag } = await app.storage.fileInfo(photo.key('original'));
    const saidAgain: string[] = [];
    const again = context({
      cursor: Object(dying.saved.at(-1)),
      checkpoint: async (_cursor, _progress, actions = []) =>
        void saidAgain.push(...actions.map(({ subject }) => subject)),
    });
    await scrubObjects(deps)(again);
    expect(saidAgain).not.toContain(photo.key('original'));
    expect((await app.storage.fileInfo(photo.key('original'))).etag).toBe(etag);
    await expectWhole(app, photo.id);
  });

  test('tells a store that does not answer from objects that are gone: nothing is taken for lost', async () => {
    const photo = await readyPhoto(app);
    const { deps, store } = underFaults();
    const down = { when: 'before', error: new StorageError('STORAGE_UNAVAILABLE') } as const;
    store.plan('get', ...Array.from({ length: 1000 }, () => down));
    const run = context();
    await expect(scrubObjects(deps)(run)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(run.saved).toEqual([]);
    await expectWhole(app, photo.id);
  });

  test('reads no faster than it may', async () => {
    const bytesPerSecond = 3_000_000;
    const { deps } = underFaults(bytesPerSecond);
    const began = performance.now();
    const result: { bytes?: number } = await scrubObjects(deps)(context({ dryRun: true }));
    const seconds = (performance.now() - began) / 1000;
    expect(Number(result.bytes) / seconds).toBeLessThan(bytesPerSecond * 1.1);
    expect(result.bytes).toBeGreaterThan(500_000);
  });

  test('is cancelled in the middle of an object', async () => {
    const { deps } = underFaults(1000);
    const stop = new AbortController();
    const running = scrubObjects(deps)(context({ signal: stop.signal }));
    await pause(50);
    stop.abort('cancelled');
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('is for admins only', async () => {
    for (const who of [SELLER, newSeller()])
      await expect(app.runs.start(who, 'scrub', { deep: true }, { dryRun: true })).rejects.toMatchObject({
        code: 'FORBIDDEN',
      });
  });
});

describe('the schedule', () => {
  const HOUR = 3_600_000;
  const plan = { everyHours: 24, readAllDays: 30 };
  const open = () =>
    app.db
      .selectFrom('runs')
      .selectAll()
      .where('kind', '=', 'scrub')
      .where('requested_by', '=', 'schedule')
      .orderBy('created_at')
      .execute();
  const tick = (hours: number) =>
    startDueScrub(
      { db: app.db, runs: app.runs, clock: { now: () => new Date(Date.now() + hours * HOUR) } },
      plan,
    );
  const over = async () => {
    for (let all = await open(); all.some((run) => run.finished_at === null); all = await open())
      await pause(20);
    return open();
  };

  test('looks at everything once a day, and reads everything in slices within its days', async () => {
    await tick(0);
    await tick(0);
    expect((await over()).map((run) => run.params)).toEqual([{ deep: false }]);
    // All was read by the tests before: no slice is due yet.
    await tick(1);
    expect(await over()).toHaveLength(1);
    await tick(25);
    expect((await over()).map((run) => run.params)).toEqual([{ deep: false }, { deep: false }]);
    await app.db
      .updateTable('object_checks')
      .set({ checked_at: new Date(0) })
      .execute();
    await tick(1);
    const [, , slice] = await over();
    expect(slice?.params).toMatchObject({ deep: true, slice: { objects: 500 } });
    expect(slice?.result).toMatchObject({ checked: (await liveKeys()).length });
    const unread = await app.db
      .selectFrom('object_checks')
      .select('key')
      .where('checked_at', '=', new Date(0))
      .execute();
    expect(unread).toEqual([]);
  });

  test('a slice reads those that were read longest ago, and only so many', async () => {
    const keys = await liveKeys();
    const old = keys.slice(3, 8);
    for (const key of old)
      await app.db
        .updateTable('object_checks')
        .set({ checked_at: new Date(0) })
        .where('key', '=', key)
        .execute();
    const { deps } = underFaults();
    const slice = { deep: true, slice: { objects: 4, unreadHours: 1 } };
    expect(await scrubObjects(deps)(context({ params: slice }))).toMatchObject({ checked: 4 });
    expect(await scrubObjects(deps)(context({ params: slice }))).toMatchObject({ checked: 1 });
    expect(await scrubObjects(deps)(context({ params: slice }))).toMatchObject({ checked: 0 });
  });

  async function liveKeys() {
    const rows = await app.db
      .selectFrom('objects')
      .select('key')
      .where('state', '=', 'live')
      .orderBy('key')
      .execute();
    return rows.map((row) => row.key);
  }
});
