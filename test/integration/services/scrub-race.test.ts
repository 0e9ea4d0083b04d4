import { randomInt, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '#src/config/index.ts';
import { scrubDeps } from '#src/app/scrub.ts';
import { isStorageError } from '#src/domain/errors.ts';
import { fileId, type ItemId, userId } from '#src/domain/ids.ts';
import type { RunAction } from '#src/domain/runs.ts';
import { type ScrubDeps, scrubObjects } from '#src/jobs/scrub.ts';
import type { BackupSource } from '#src/ports/backup-source.ts';
import type { Moderator } from '#src/ports/moderator.ts';
import {
  ADMIN,
  distinctPhoto,
  expectNoOrphans,
  MODERATOR,
  newItem,
  newSeller,
  startApp,
  storedKeys,
  type TestApp,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';
import { harmTo } from '#test/support/harm.ts';
import { readyPhoto } from './scrub-harness.ts';

const seed = Number(process.env['TEST_SEED'] ?? randomInt(2 ** 31));
const random = randomFrom(seed);
const pick = <T>(...choices: readonly T[]): T | undefined => choices[Math.floor(random() * choices.length)];

/** mulberry32 by Tommy Ettinger (public domain): small, and good enough to choose by. */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

let app: TestApp;
/** While true every photo is published. */
let isCalm = true;
beforeAll(async () => {
  app = await startApp({ jobs: ({ moderator }) => ({ moderator: undecided(moderator) }) });
});
afterAll(() => app.close());

function undecided(moderator: Moderator): Moderator {
  return {
    ...moderator,
    moderate: async (photo, signal) => ({
      ...(await moderator.moderate(photo, signal)),
      verdict: isCalm ? 'publish' : (pick('publish', 'publish', 'review', 'reject') ?? 'publish'),
    }),
  };
}

/** What people may not do at that moment is no fault. */
async function tolerating(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isStorageError(error) || error.code === 'INTERNAL' || error.code === 'OBJECT_DAMAGED') throw error;
  }
}

/** One scrub, without a runner. Resolves to what it recorded. */
async function scrubNow(deps: ScrubDeps, deep: boolean): Promise<RunAction[]> {
  const actions: RunAction[] = [];
  await scrubObjects(deps)({
    run: { id: randomUUID(), kind: 'scrub', requestedBy: ADMIN.userId },
    params: { deep },
    dryRun: false,
    cursor: null,
    signal: new AbortController().signal,
    checkpoint: async (_cursor, _progress, done = []) => void actions.push(...done),
  });
  return actions;
}

const UPLOADS = 30;

/** Somebody who uploads, deletes, replaces and appeals, and a moderator who decides, at random. */
async function person(): Promise<void> {
  const who = newSeller();
  const item: ItemId = await newItem(app, who);
  for (let uploads = 0; uploads < UPLOADS / 3; uploads += 1) {
    await tolerating(
      app.files.uploadItemPhoto(who, item, await distinctPhoto(), { waitMs: pick(0, 300, 3000) ?? 0 }),
    );
    if (random() < 0.3)
      await tolerating(
        app.files.uploadProfilePhoto(who, userId(who.userId), await distinctPhoto(), {
          waitMs: pick(0, 3000) ?? 0,
        }),
      );
    const files = await app.db
      .selectFrom('files')
      .select(['id', 'state'])
      .where('owner_id', '=', who.userId)
      .execute();
    for (const { id, state } of files) {
      const file = fileId(id);
      const decide = (decision: 'approve' | 'reject' | 'takedown') =>
        app.review.decide(MODERATOR, file, { decision, reason: 'Because.' });
      if (random() < 0.2) await tolerating(app.files.deletePhoto(who, file));
      else if (state === 'in_review')
        await tolerating(decide(pick('approve', 'approve', 'reject') ?? 'approve'));
      else if (state === 'ready' && random() < 0.4) await tolerating(decide('takedown'));
      else if (state === 'taken_down') await tolerating(app.files.appeal(who, file, 'Please look again.'));
    }
  }
}

test(`beside uploads, deletes, decisions and appeals it takes nothing for damaged (TEST_SEED=${seed})`, {
  timeout: 180_000,
}, async () => {
  const deps = scrubDeps(loadConfig({ SCRUB_BYTES_PER_SECOND: '1 GiB' }), app);
  isCalm = false;
  const actions: RunAction[] = [];
  let isOver = false;
  let scrubs = 0;
  const looking = (async () => {
    for (; !isOver; scrubs += 1) actions.push(...(await scrubNow(deps, scrubs % 2 === 0)));
  })();
  const people = await Promise.allSettled([person(), person(), person()]);
  isOver = true;
  isCalm = true;
  await looking;
  expect(people.filter(({ status }) => status === 'rejected')).toEqual([]);
  expect(actions).toEqual([]);
  expect(scrubs).toBeGreaterThan(5);
  const states = await app.db.selectFrom('files').select('state').execute();
  expect(new Set(states.map(({ state }) => state)).size).toBeGreaterThan(3);
  await untilDelivered(app, 30_000);
  await expectNoOrphans(app);
});

describe('a photo that is deleted', () => {
  /** What reads of this key wait for, one after another; later reads wait for nothing. */
  function depsWith(key: string, ...before: (() => Promise<void>)[]): ScrubDeps {
    const deps = scrubDeps(loadConfig({}), app);
    const downloadFile: ScrubDeps['primary']['downloadFile'] = async (asked, options) => {
      if (asked === key) await before.shift()?.();
      return deps.primary.downloadFile(asked, options);
    };
    return { ...deps, primary: { ...deps.primary, downloadFile } };
  }
  const nothing = () => Promise.resolve();
  const removing = (id: string) => async () => {
    await app.files.deletePhoto(ADMIN, fileId(id));
    await untilState(app, id, 'deleted');
  };

  test.each([1, 2])('just before look number %i at it is not missing', async (look) => {
    const photo = await readyPhoto(app);
    const key = photo.key('medium');
    const harm = harmTo(app.dataDir);
    const steps = look === 1 ? [removing(photo.id)] : [() => harm.remove(key), removing(photo.id)];
    const actions = await scrubNow(depsWith(key, ...steps), true);
    expect(actions.filter(({ subject }) => subject.includes(photo.id))).toEqual([]);
    await expectNoOrphans(app);
  });

  test('while a copy is fetched for it does not come back', async () => {
    const photo = await readyPhoto(app);
    const key = photo.key('original');
    const bytes = await buffer((await app.storage.downloadFile(key)).body);
    await harmTo(app.dataDir).flipBit(key);
    const backup: BackupSource = {
      name: 'slow',
      async *copiesOf(asked) {
        if (asked !== key) return;
        await removing(photo.id)();
        yield Readable.from([bytes]);
      },
    };
    const actions = await scrubNow({ ...depsWith(key, nothing), backups: [backup] }, true);
    expect(actions.map(({ action, subject }) => [action, subject])).toEqual([
      ['damaged', key],
      ['late', key],
    ]);
    expect(await storedKeys(app)).not.toContain(key);
    await expectNoOrphans(app);
  });

  test('while a rendition is made again does not come back, under no key', async () => {
    const photo = await readyPhoto(app);
    const key = photo.key('large');
    await harmTo(app.dataDir).flipBit(key);
    const deps = scrubDeps(loadConfig({}), app);
    const open: typeof deps.images.open = async (bytes, options) => {
      await removing(photo.id)();
      return deps.images.open(bytes, options);
    };
    const actions = await scrubNow({ ...deps, images: { ...deps.images, open } }, true);
    expect(actions.map(({ action }) => action)).toEqual(['damaged', 'late']);
    expect((await storedKeys(app)).filter((stored) => stored.includes(photo.id))).toEqual([]);
    await untilDelivered(app);
    await expectNoOrphans(app);
  });
});
