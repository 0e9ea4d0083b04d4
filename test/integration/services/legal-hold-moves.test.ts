import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import type { ObjectTags } from '#src/ports/object-store.ts';
import { evidenceKey } from '#src/domain/keys.ts';
import { ADMIN, knowViews } from '#test/support/ageing.ts';
import { distinctPhoto, expectNoOrphans, type TestApp, untilDelivered } from '#test/support/app.ts';
import { IDLE_LIMIT_MS, impatientDatabase, slowly, slowlyBeside } from '#test/support/impatient.ts';
import { type ServedApp, startServedApp } from '#test/support/served-app.ts';
import {
  archived,
  expectInQuarantine,
  expectNotServed,
  expectProved,
  goOn,
  waiting,
} from './legal-hold-evidence-harness.ts';
import { bytesAt, type Held, heldPhoto, keysOf } from './legal-hold-harness.ts';

let served: ServedApp;
let app: TestApp;
beforeAll(async () => {
  served = await startServedApp();
  app = served.app;
  await knowViews(app);
}, 60_000);
afterAll(() => served.close());

describe('evidence that is on its way', () => {
  const stateOf = async ({ id }: Held) => (await app.lifecycle.getHold(ADMIN, id)).evidence[0];

  test('is not served from its public key, from the moment on at which its photo ends', async () => {
    const held = await heldPhoto(app);
    expect(await served.status(held.key)).toBe(200);
    await waiting(served, held);
    expect(await keysOf(app, held.id)).toContain(held.key);
    await expectNotServed(served, held);
    await goOn(served, held);
    await expectInQuarantine(served, held);
    await expectProved(served, held);
  });

  test('waits for a slow archive to bring it back, is served by nobody meanwhile, also when it is there', async () => {
    const held = await archived(served);
    await waiting(served, held);
    let isThere = false;
    const storage = {
      ...app.jobs.storage,
      archiveStatus: async () => (isThere ? ('restored' as const) : ('restoring' as const)),
    };
    await goOn(served, held, { storage });
    expect(await stateOf(held)).toMatchObject({ state: 'restoring', error: null, movedAt: null });
    await expectNotServed(served, held);
    isThere = true;
    await app.storage.restoreFile(held.key, 1);
    expect((await bytesAt(app, held.key)).equals(held.bytes)).toBe(true);
    await expectNotServed(served, held);
    await goOn(served, held, { storage });
    expect(await stateOf(held)).toMatchObject({ state: 'moved' });
    await expectInQuarantine(served, held);
    expect((await app.storage.fileInfo(evidenceKey(held.key) ?? '')).storageClass).toBe('STANDARD');
  });

  test('is refused to the CDN in a bucket before the archive is asked for it, and its copy in quarantine is not', async () => {
    const held = await archived(served);
    await waiting(served, held);
    const tags = new Map<string, ObjectTags>([[held.key, { team: 'photos' }]]);
    const calls: string[] = [];
    let isThere = false;
    const { storage: real } = app.jobs;
    const storage: typeof real = {
      ...real,
      fileTags: async (key) => tags.get(key) ?? {},
      async tagFile(key, to) {
        calls.push(`tag ${key}`);
        tags.set(key, to);
      },
      archiveStatus: async () => (isThere ? 'restored' : 'archived'),
      async restoreFile(key, days) {
        calls.push(`restore ${key}`);
        expect(tags.get(key)).toEqual({ team: 'photos', 'localex-withheld': 'yes' });
        await real.restoreFile(key, days);
      },
      async copyFile(from, to, how) {
        calls.push(`copy ${to}`);
        tags.set(to, tags.get(from) ?? {});
        return real.copyFile(from, to, how);
      },
    };
    await goOn(served, held, { storage });
    const to = evidenceKey(held.key) ?? '';
    const first = [`tag ${held.key}`, `restore ${held.key}`];
    // The archive of the tests is fast: it is there at once, and moved.
    isThere = true;
    await goOn(served, held, { storage });
    expect(calls).toEqual([...first, `copy ${to}`, `tag ${to}`]);
    expect(tags.get(to)).toEqual({ team: 'photos' });
    await expectInQuarantine(served, held);
  });

  test('is moved to the same end when the process that moved it died between its copy and the rest', async () => {
    const held = await heldPhoto(app);
    await waiting(served, held);
    await goOn(served, held, {
      storage: {
        ...app.jobs.storage,
        copyFile: async (...args) => {
          await app.jobs.storage.copyFile(...args);
          throw new StorageError('STORAGE_UNAVAILABLE');
        },
      },
    });
    expect(await stateOf(held)).toMatchObject({ state: 'waiting', error: 'STORAGE_UNAVAILABLE' });
    expect(await keysOf(app, held.id)).toEqual(
      expect.arrayContaining([held.key, evidenceKey(held.key) ?? '']),
    );
    await expectNotServed(served, held);
    await goOn(served, held);
    await expectInQuarantine(served, held);
  });

  test('leaves at once when the hold is lifted', async () => {
    const held = await heldPhoto(app);
    await waiting(served, held);
    await app.lifecycle.releaseHold(ADMIN, held.id);
    await untilDelivered(app);
    expect(await keysOf(app, held.id)).toEqual([]);
    await goOn(served, held);
    expect(await keysOf(app, held.id)).toEqual([]);
  });

  test('that was changed behind our back is kept as it is, says so, and is out of public all the same', async () => {
    const held = await heldPhoto(app);
    await waiting(served, held);
    const changed = (await distinctPhoto()).body;
    await app.storage.uploadFile(changed, { key: held.key, contentType: 'image/jpeg' });
    await goOn(served, held, { backups: [] });
    await untilDelivered(app);
    expect((await bytesAt(app, evidenceKey(held.key) ?? '')).equals(changed)).toBe(true);
    expect(await keysOf(app, held.id)).not.toContain(held.key);
    await expectNotServed(served, held);
    expect(app.lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        details: expect.objectContaining({ alarm: 'damaged', from: held.key }),
      }),
    );
  });

  test('that was changed, in a bucket that cannot hide it, stays there for nobody to read until the hold is lifted', async () => {
    const held = await heldPhoto(app);
    await waiting(served, held);
    const changed = (await distinctPhoto()).body;
    await app.storage.uploadFile(changed, { key: held.key, contentType: 'image/jpeg' });
    const hideFile = () => Promise.reject(new StorageError('CONFLICT'));
    await goOn(served, held, { backups: [], storage: { ...app.jobs.storage, hideFile } });
    await untilDelivered(app);
    expect(await stateOf(held)).toMatchObject({ state: 'moved', error: null });
    const copy = evidenceKey(held.key) ?? '';
    expect((await bytesAt(app, copy)).equals(changed)).toBe(true);
    expect(await keysOf(app, held.id)).toEqual(expect.arrayContaining([held.key, copy]));
    await expectNotServed(served, held);
    await expectNoOrphans(app);
    await app.lifecycle.releaseHold(ADMIN, held.id);
    await untilDelivered(app);
    expect(await keysOf(app, held.id)).toEqual([]);
  });

  test('is brought by a slow store however long that takes, and nobody waits for its photo meanwhile', async () => {
    const held = await heldPhoto(app);
    await waiting(served, held);
    const db = impatientDatabase(app);
    const { storage: real } = app.jobs;
    const waits: number[] = [];
    const storage: typeof real = {
      ...real,
      async copyFile(from, to, how) {
        const copying = await slowlyBeside(app, held.id, () => real.copyFile(from, to, how));
        waits.push(copying.waited);
        return copying.done;
      },
      fileInfo: (key, signal) => slowly(() => real.fileInfo(key, signal)),
    };
    await goOn(served, held, { db, storage });
    await db.destroy();
    expect(await stateOf(held)).toMatchObject({ state: 'moved', error: null });
    expect(waits).toEqual([expect.any(Number)]);
    expect(Math.max(...waits)).toBeLessThan(IDLE_LIMIT_MS);
    await expectInQuarantine(served, held);
  });

  test('is left by who brought it when the hold was lifted meanwhile', async () => {
    const held = await heldPhoto(app);
    await waiting(served, held);
    const { storage: real } = app.jobs;
    const copyFile: typeof real.copyFile = async (...args) => {
      await app.lifecycle.releaseHold(ADMIN, held.id);
      await untilDelivered(app);
      await app.storage.uploadFile(held.bytes, { key: args[1], contentType: 'image/jpeg' });
      return app.storage.fileInfo(args[1]);
    };
    await goOn(served, held, { storage: { ...real, copyFile } });
    await untilDelivered(app);
    expect(await keysOf(app, held.id)).toEqual([]);
    await expectNoOrphans(app);
  });
});
