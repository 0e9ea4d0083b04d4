import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listAsides } from '#src/db/object-checks.ts';
import { StorageError } from '#src/domain/errors.ts';
import { fileId } from '#src/domain/ids.ts';
import { scrubObjects, type ScrubDeps } from '#src/jobs/scrub.ts';
import type { ObjectTags } from '#src/ports/object-store.ts';
import { ADMIN, storedKeys, type TestApp, untilDelivered } from '#test/support/app.ts';
import { type Harm, harmTo } from '#test/support/harm.ts';
import { IDLE_LIMIT_MS, impatientDatabase, slowly, slowlyBeside } from '#test/support/impatient.ts';
import { type ServedApp, startServedApp } from '#test/support/served-app.ts';
import { context, expectWhole, readyPhoto, scrubUnderFaults } from './scrub-harness.ts';

/** Objects that are damaged in a bucket whose versioning is suspended: hiding them would destroy an earlier version. */
let served: ServedApp;
let app: TestApp;
let harm: Harm;
let tags: Map<string, ObjectTags>;
beforeAll(async () => {
  served = await startServedApp();
  app = served.app;
  harm = harmTo(app.dataDir);
});
afterAll(() => served.close());
beforeEach(() => {
  tags = new Map();
});

function deps(change: Partial<ScrubDeps['primary']> = {}): ScrubDeps {
  const { deps: whole } = scrubUnderFaults(app);
  const primary: ScrubDeps['primary'] = {
    ...whole.primary,
    hideFile: () => Promise.reject(new StorageError('CONFLICT')),
    fileTags: async (key) => tags.get(key) ?? {},
    tagFile: async (key, to) => void tags.set(key, to),
    async copyFile(from, to, how) {
      tags.set(to, tags.get(from) ?? {});
      return whole.primary.copyFile(from, to, how);
    },
    ...change,
  };
  return { ...whole, primary, backups: [] };
}

/** What a scrub says of a photo. */
async function scrubNow(with_: ScrubDeps, id: string, deep = true): Promise<string[]> {
  const run = context({ params: { deep } });
  await scrubObjects(with_)(run);
  return run.said.filter((line) => line.includes(id));
}

async function longAgo(key: string): Promise<void> {
  const then = new Date(Date.now() - 31 * 86_400_000);
  await app.db.updateTable('object_checks').set({ told_at: then }).where('key', '=', key).execute();
}

const alarmsFor = (key: string) =>
  app.lines.filter(({ details }) => 'alarm' in details && Object(details).key === key).length;

describe('what is given up and cannot be hidden', () => {
  test.each(['tags', 'no tags'])(
    'is read by nobody at our own edge, whatever it had in memory (a store with %s)',
    async (knows) => {
      const photo = await readyPhoto(app);
      const lost = [photo.key('original'), photo.key('large')];
      const paths = [...lost, ...lost.map((key) => key.replace('.jpg', '.auto'))];
      for (const path of paths) expect(await served.status(path), path).toBe(200);
      for (const key of lost) await harm.flipBit(key);
      const unsupported = () => Promise.reject(new StorageError('UNSUPPORTED'));
      const said = await scrubNow(deps(knows === 'tags' ? {} : { fileTags: unsupported }), photo.id);
      expect(said).toEqual(expect.arrayContaining(lost.map((key) => `postpone ${key}`)));
      await untilDelivered(app);
      expect(await storedKeys(app)).toEqual(expect.arrayContaining(lost));
      expect(tags.get(lost[0] ?? '')).toEqual(knows === 'tags' ? { 'localex-withheld': 'yes' } : undefined);
      for (const path of paths.filter((each) => !each.endsWith('large.auto')))
        expect(await served.status(path), path).toBe(404);
      expect(await served.status(photo.key('medium'))).toBe(200);
      const again = await scrubNow(deps(), photo.id);
      expect(again).toEqual(expect.arrayContaining(lost.map((key) => `still-lost ${key}`)));
    },
  );

  test('is read again, by CloudFront too, when its right bytes are put back', async () => {
    const photo = await readyPhoto(app);
    const key = photo.key('original');
    const { storage } = app;
    const { body, info } = await storage.downloadFile(key);
    const good = Buffer.concat(await body.toArray());
    await harm.flipBit(key);
    expect(await scrubNow(deps(), photo.id)).toEqual([`damaged ${key}`, `postpone ${key}`]);
    tags.set(key, { ...tags.get(key), team: 'photos' });
    await storage.uploadFile(good, { key, contentType: info.contentType });
    expect(await scrubNow(deps(), photo.id, false)).toEqual([`recover ${key}`]);
    expect(tags.get(key)).toEqual({ team: 'photos' });
    await untilDelivered(app);
    expect(await served.status(key)).toBe(200);
    await expectWhole(app, photo.id);
  });

  test('is kept in quarantine once: what was told long ago and lies there as it was is not copied again', async () => {
    const photo = await readyPhoto(app);
    const key = photo.key('original');
    await app.lifecycle.setHold(ADMIN, fileId(photo.id), 'Case 4711');
    await harm.flipBit(key);
    expect(await scrubNow(deps(), photo.id)).toEqual([`damaged ${key}`, `hold ${key}`]);
    const kept = await listAsides(app.db, photo.id);
    expect(kept).toHaveLength(1);
    await longAgo(key);
    const before = alarmsFor(key);
    expect(await scrubNow(deps(), photo.id)).toEqual([`damaged ${key}`, `hold ${key}`]);
    expect(alarmsFor(key)).toBe(before + 1);
    expect(await listAsides(app.db, photo.id)).toEqual(kept);

    await harm.replace(key, Buffer.alloc(1000, 1));
    expect(await scrubNow(deps(), photo.id)).toEqual([`damaged ${key}`, `hold ${key}`]);
    expect(await listAsides(app.db, photo.id)).toHaveLength(2);
  });
});

describe('a store that is slow', () => {
  test('is waited for longer than other transactions may be idle, and keeps nobody from the photo while it reads and copies', async () => {
    const db = impatientDatabase(app);
    try {
      const photo = await readyPhoto(app);
      const key = photo.key('original');
      await app.lifecycle.setHold(ADMIN, fileId(photo.id), 'Case 4711');
      await harm.flipBit(key);
      const { primary } = deps();
      const waits: number[] = [];
      const slow = deps({
        async copyFile(from, to, how) {
          const copying = await slowlyBeside(app, photo.id, () => primary.copyFile(from, to, how));
          waits.push(copying.waited);
          return copying.done;
        },
        hideFile: (hidden) => slowly(() => app.storage.hideFile(hidden)),
      });
      expect(await scrubNow({ ...slow, db }, photo.id)).toEqual([`damaged ${key}`, `hold ${key}`]);
      expect(await storedKeys(app)).not.toContain(key);
      expect(waits).toEqual([expect.any(Number)]);
      expect(Math.max(...waits)).toBeLessThan(IDLE_LIMIT_MS);
    } finally {
      await db.destroy();
    }
  });
});
