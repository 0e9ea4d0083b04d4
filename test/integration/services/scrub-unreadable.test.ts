import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endRun, insertRun, claimRun, saveRun } from '#src/db/runs.ts';
import { type ErrorCode, StorageError } from '#src/domain/errors.ts';
import { scrubObjects, type ScrubDeps } from '#src/jobs/scrub.ts';
import { newFileId } from '#src/services/new-id.ts';
import { ADMIN, startApp, type TestApp, untilDelivered } from '#test/support/app.ts';
import { harmTo } from '#test/support/harm.ts';
import { context, expectWhole, readyPhoto, scrubUnderFaults, type ReadyPhoto } from './scrub-harness.ts';

let app: TestApp;
let photos: ReadyPhoto[];
beforeAll(async () => {
  // No schedule: what is read is read by the test.
  app = await startApp();
  photos = [await readyPhoto(app), await readyPhoto(app), await readyPhoto(app)];
});
afterAll(() => app.close());

/** A store that does not give some objects, and a scrub of it. */
function withoutAnswerFor(
  isAway: (key: string) => boolean,
  code: ErrorCode = 'STORAGE_UNAVAILABLE',
): { deps: ScrubDeps; asked: string[] } {
  const { deps } = scrubUnderFaults(app);
  const asked: string[] = [];
  const ask = (key: string) => {
    asked.push(key);
    if (isAway(key)) throw new StorageError(code);
  };
  const primary: ScrubDeps['primary'] = {
    ...deps.primary,
    async downloadFile(key, options) {
      ask(key);
      return deps.primary.downloadFile(key, options);
    },
    async fileInfo(key, signal) {
      ask(key);
      return deps.primary.fileInfo(key, signal);
    },
  };
  return { deps: { ...deps, primary }, asked };
}

async function liveKeys(): Promise<string[]> {
  const rows = await app.db
    .selectFrom('objects')
    .select('key')
    .where('state', '=', 'live')
    .orderBy('key')
    .execute();
  return rows.map((row) => row.key);
}

describe('objects that the store does not give', () => {
  test('are passed by in any number while it gives others, counted apart from those that were read, and tried again', async () => {
    await scrubObjects(scrubUnderFaults(app).deps)(context());
    const long = new Date(Date.now() - 3 * 86_400_000);
    await app.db.updateTable('object_checks').set({ checked_at: long }).execute();
    const [away, given, other] = photos;
    // The ones that are asked for to tell an outage: those that were read last.
    await app.db
      .updateTable('object_checks')
      .set({ checked_at: new Date(long.getTime() + 1000) })
      .where('key', 'like', `%${given?.id}%`)
      .execute();
    const isAway = (key: string) => key.includes(away?.id ?? '') || key.includes(other?.id ?? '');
    const lost = (await liveKeys()).filter(isAway);
    expect(lost).toHaveLength(14);

    for (let times = 0; times < 2; times += 1) {
      const run = context();
      const result = await scrubObjects(withoutAnswerFor(isAway).deps)(run);
      expect(result).toMatchObject({
        checked: 21,
        read: 7,
        unreadable: 14,
        notGiven: 14,
        longestUnread: long,
      });
      expect(run.said.toSorted()).toEqual(lost.map((key) => `unreadable ${key}`));
    }
    // One that looks only reads them, since nobody knows what their bytes are by now.
    const after = await scrubObjects(scrubUnderFaults(app).deps)(context({ params: { deep: false } }));
    expect(after).toMatchObject({ read: 14, unreadable: 0, notGiven: 0 });
    expect(Object(after).longestUnread.getTime()).toBeGreaterThan(long.getTime());
    for (const { id } of photos) await expectWhole(app, id);
  });

  test("are passed by with any error that they are answered with, one of another's encryption say", async () => {
    const [first = '', second = ''] = (await liveKeys()).filter((key) => key.includes('/large/'));
    const { deps } = withoutAnswerFor((key) => key === first, 'INTERNAL');
    const run = context();
    expect(await scrubObjects(deps)(run)).toMatchObject({
      checked: 21,
      read: 20,
      unreadable: 1,
      notGiven: 1,
    });
    expect(run.said).toEqual([`unreadable ${first}`]);
    // What is damaged beside it, in the same photo too, is mended all the same.
    const beside = photos.find(({ id }) => first.includes(id))?.key('medium') ?? '';
    const harm = harmTo(app.dataDir);
    await harm.flipBit(beside);
    await harm.flipBit(second);
    const next = context();
    await scrubObjects(deps)(next);
    const fileOf = (key: string) => photos.find(({ id }) => key.includes(id))?.id;
    expect(next.said).toEqual(
      expect.arrayContaining([
        `unreadable ${first}`,
        `rebuild ${second}`,
        `rebuild ${beside}`,
        `fail ${fileOf(first)}`,
      ]),
    );
    for (const { id } of photos) await expectWhole(app, id);
    await scrubObjects(scrubUnderFaults(app).deps)(context());
  });

  test('are no outage when they are the last of a page either', async () => {
    const last = (await liveKeys()).at(-1) ?? '';
    const run = context();
    const { deps } = withoutAnswerFor((key) => key === last);
    expect(await scrubObjects(deps)(run)).toMatchObject({ checked: 21, unreadable: 1 });
    expect(run.said).toEqual([`unreadable ${last}`]);
    await expectWhole(app, photos[0]?.id ?? '');
  });

  test('are asked for once more when the store has come back meanwhile: its outage is none of theirs', async () => {
    let refusals = 10;
    const run = context();
    const { deps } = withoutAnswerFor(() => (refusals -= 1) >= 0);
    expect(await scrubObjects(deps)(run)).toMatchObject({ checked: 21, read: 21, unreadable: 0 });
    expect(run.said).toEqual([]);
  });

  test('are believed of no store that gives nothing, though it can be reached', async () => {
    const run = context();
    const { deps, asked } = withoutAnswerFor(() => true);
    await expect(scrubObjects(deps)(run)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(run.saved).toEqual([]);
    // It is found out before the whole page was waited for.
    expect(asked.length).toBeLessThan(21 + 4);
  });
});

test('after a scrub that failed the next one begins behind what that had done, and looks at everything all the same', async () => {
  const keys = await liveKeys();
  const first = context();
  await scrubObjects(scrubUnderFaults(app).deps)(first);
  // Runs of a kind that no worker here takes.
  const ask = () =>
    insertRun(app.db, {
      id: newFileId(),
      kind: 'backup',
      dryRun: false,
      params: first.params,
      requestedBy: ADMIN.userId,
    });
  const failed = await ask();
  await claimRun(app.db, ['backup'], 'worker', 60);
  const cursor = { ...Object(first.saved.at(-1)), after: keys[7] };
  await saveRun(app.db, failed.id, 'worker', {
    cursor,
    progress: { done: 8, total: 21, note: null },
    actions: [],
  });
  const reason = { code: 'STORAGE_UNAVAILABLE', message: 'The store does not answer.' } as const;
  await endRun(app.db, failed.id, 'worker', { state: 'failed', reason });
  const next = await ask();

  const { deps, asked } = withoutAnswerFor(() => false);
  const run = context({ run: { id: next.id, kind: 'scrub', requestedBy: ADMIN.userId } });
  expect(await scrubObjects(deps)(run)).toMatchObject({ checked: 21, read: 21 });
  const pages = [asked.slice(0, 13), asked.slice(13)];
  expect(pages.map((page) => page.toSorted())).toEqual([keys.slice(8), keys.slice(0, 8)]);
});

test('an archived original with a wrong label is told once, and again after long; its bytes cannot be written again', async () => {
  const key = photos[0]?.key('original') ?? '';
  const { deps } = scrubUnderFaults(app);
  const primary: ScrubDeps['primary'] = {
    ...deps.primary,
    async downloadFile(asked, options) {
      if (asked === key) throw new StorageError('OBJECT_ARCHIVED');
      return deps.primary.downloadFile(asked, options);
    },
    async fileInfo(asked, signal) {
      const info = await deps.primary.fileInfo(asked, signal);
      return asked === key ? { ...info, cacheControl: 'no-store', storageClass: 'GLACIER' } : info;
    },
  };
  const look = async (dryRun = false) => {
    const before = app.lines.length;
    const run = context({ dryRun });
    await scrubObjects({ ...deps, primary })(run);
    const alarms = app.lines.slice(before).filter(({ details }) => 'alarm' in details);
    return { alarms: alarms.length, said: run.said };
  };
  expect(await look()).toEqual({ alarms: 1, said: [`mislabelled ${key}`, `leave ${key}`] });
  for (const dryRun of [true, false, false])
    expect(await look(dryRun)).toEqual({ alarms: 0, said: [`leave ${key}`] });
  const then = new Date(Date.now() - 31 * 86_400_000);
  await app.db.updateTable('object_checks').set({ told_at: then }).where('key', '=', key).execute();
  expect(await look()).toEqual({ alarms: 1, said: [`mislabelled ${key}`, `leave ${key}`] });
  expect(await look()).toEqual({ alarms: 0, said: [`leave ${key}`] });
  const restored = context();
  await scrubObjects(deps)(restored);
  expect(restored.said).toEqual([`recover ${key}`]);
});

describe('a store in which nearly nothing is', () => {
  const checks = () => app.db.selectFrom('object_checks').selectAll().orderBy('key').execute();
  const alarms = () => app.lines.filter(({ details }) => Object(details).alarm === 'store').length;

  test('is not believed, and an alarm rings once a run: nothing is taken for lost that is in another store', async () => {
    await untilDelivered(app);
    const [before, rung] = [await checks(), alarms()];
    for (const deep of [false, true]) {
      const run = context({ params: { deep } });
      const { deps, asked } = withoutAnswerFor(() => true, 'NOT_FOUND');
      await expect(scrubObjects(deps)(run)).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringContaining('21 of 21 objects'),
      });
      expect(asked).toHaveLength(21);
      expect([run.said, run.saved]).toEqual([[], []]);
    }
    expect(alarms()).toBe(rung + 2);
    expect(await checks()).toEqual(before);
    for (const { id } of photos) await expectWhole(app, id);
  });

  test('is when an operator says that the rest is lost indeed, and from then on; what comes back is taken', async () => {
    const nothing = withoutAnswerFor(() => true, 'NOT_FOUND').deps;
    const look = async (deps: ScrubDeps, more: object = {}) => {
      const run = context({ params: { deep: false, ...more } });
      return { result: await scrubObjects(deps)(run), said: run.said };
    };
    expect((await look(nothing, { acceptLoss: true })).result).toMatchObject({ missing: 21, lost: 21 });
    const rung = alarms();
    expect((await look(nothing)).result).toMatchObject({ stillLost: 21, missing: 0 });
    expect(alarms()).toBe(rung);
    expect((await look(scrubUnderFaults(app).deps)).result).toMatchObject({ recovered: 21 });
    for (const { id } of photos) await expectWhole(app, id);
  });
});
