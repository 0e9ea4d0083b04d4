import { hash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { listAsides } from '#src/db/object-checks.ts';
import { type ErrorCode, StorageError } from '#src/domain/errors.ts';
import { fileId, itemId, userId } from '#src/domain/ids.ts';
import { evidenceKey } from '#src/domain/keys.ts';
import type { BackupSource } from '#src/ports/backup-source.ts';
import {
  ADMIN,
  distinctPhoto,
  newSeller,
  startApp,
  storedKeys,
  type TestApp,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';
import { harmTo } from '#test/support/harm.ts';
import { USES_BUCKET } from '#test/support/storage-under-test.ts';
import { scrubObjects } from '#src/jobs/scrub.ts';
import { context, expectWhole, readyPhoto, scrub, scrubUnderFaults } from './scrub-harness.ts';

let app: TestApp;
let harm: ReturnType<typeof harmTo>;
/** What the one backup source there is does when it is asked. */
let backup: { readonly fails?: ErrorCode; readonly has?: Buffer };
beforeAll(async () => {
  const source: BackupSource = {
    name: 'backup',
    async *copiesOf() {
      if (backup.has !== undefined) yield Readable.from([backup.has]);
      if (backup.fails !== undefined) throw new StorageError(backup.fails);
    },
  };
  backup = {};
  app = await startApp({ backups: [source] });
  harm = harmTo(app.dataDir);
});
afterAll(() => app.close());

const bytesOf = async (key: string) => buffer((await app.storage.downloadFile(key)).body);
const warningsOf = async (id: string) => (await findFile(app.db, fileId(id)))?.warnings;

describe('bytes that are lost', () => {
  test.each(['STORAGE_UNAVAILABLE', 'OBJECT_ARCHIVED'] as const)(
    'are kept in quarantine while a source cannot be asked for all it has (%s), are read by nobody, and come back when it can',
    async (code) => {
      const photo = await readyPhoto(app);
      const key = photo.key('original');
      const good = await bytesOf(key);
      const damaged = randomBytes(100_000);
      await harm.replace(key, damaged, { keepsEtag: true });
      backup = { fails: code, has: randomBytes(10) };
      for (const dryRun of [true, false]) {
        const { about, actions, run } = await scrub(app, { deep: true, dryRun });
        expect(about(photo.id)).toEqual(['damaged original.jpg', 'postpone original.jpg']);
        expect(actions.find(({ action }) => action === 'postpone')).toMatchObject({
          details: { unasked: [{ source: 'backup', code }] },
        });
        expect(run.result).toMatchObject({ postponed: 1, lost: 0 });
      }
      await expect(bytesOf(key)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      const [aside = '', ...more] = await listAsides(app.db, photo.id, key);
      expect(more).toEqual([]);
      expect((await bytesOf(aside)).equals(damaged)).toBe(true);
      await expect(app.security.generateSignedUrl(aside, 60, ADMIN)).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
      expect(await warningsOf(photo.id)).toEqual(['DAMAGED']);
      const [shown] = (await app.files.getItemPhotos(null, itemId(photo.itemId))).photos;
      expect(shown?.variants.original).toBeUndefined();

      backup = { has: good };
      expect((await scrub(app, { deep: false })).about(photo.id)).toEqual([
        'missing original.jpg',
        'restore original.jpg',
      ]);
      expect(await warningsOf(photo.id)).toEqual([]);
      await expectWhole(app, photo.id);
      await untilDelivered(app);
      expect(await storedKeys(app)).not.toContain(aside);
    },
  );

  test('that are missing are asked for again too, when the source answers', async () => {
    const photo = await readyPhoto(app);
    const key = photo.key('original');
    const good = await bytesOf(key);
    await harm.remove(key);
    backup = { fails: 'STORAGE_UNAVAILABLE' };
    expect((await scrub(app, { deep: false })).about(photo.id)).toEqual([
      'missing original.jpg',
      'postpone original.jpg',
    ]);
    backup = { has: good };
    expect((await scrub(app, { deep: false })).about(photo.id)).toEqual([
      'missing original.jpg',
      'restore original.jpg',
    ]);
    await expectWhole(app, photo.id);
  });

  test('are told once, and again when something changes or after long; each run has them in its record', async () => {
    const photo = await readyPhoto(app);
    const key = photo.key('original');
    const good = await bytesOf(key);
    backup = {};
    await harm.flipBit(key);
    const alarms = () => app.lines.filter(({ details }) => 'alarm' in details && Object(details).key === key);
    const purges = async () =>
      (await app.db.selectFrom('outbox').select('payload').where('topic', '=', 'purge').execute()).filter(
        ({ payload }) => JSON.stringify(payload).includes(key),
      ).length;
    expect((await scrub(app, { deep: true })).about(photo.id)).toEqual([
      'damaged original.jpg',
      'set-aside original.jpg',
    ]);
    const [told, purged] = [alarms().length, await purges()];
    expect(told).toBe(1);
    for (const dryRun of [true, false, false]) {
      const { about, run } = await scrub(app, { deep: false, dryRun });
      expect(about(photo.id)).toEqual(['still-lost original.jpg']);
      expect(run.result).toMatchObject({ missing: 0, lost: 0 });
      expect(Object(run.result).stillLost).toBeGreaterThanOrEqual(1);
    }
    expect([alarms().length, await purges()]).toEqual([told, purged]);

    await app.db
      .updateTable('object_checks')
      .set({ told_at: new Date(Date.now() - 31 * 86_400_000) })
      .where('key', '=', key)
      .execute();
    expect((await scrub(app, { deep: false })).about(photo.id)).toEqual([
      'missing original.jpg',
      'set-aside original.jpg',
    ]);
    backup = { fails: 'STORAGE_UNAVAILABLE' };
    expect((await scrub(app, { deep: false })).about(photo.id)).toEqual([
      'missing original.jpg',
      'postpone original.jpg',
    ]);
    backup = { has: good };
    expect((await scrub(app, { deep: false })).about(photo.id)).toEqual([
      'missing original.jpg',
      'restore original.jpg',
    ]);
    expect(alarms()).toHaveLength(told + 3);
    await expectWhole(app, photo.id);
  });

  test.skipIf(USES_BUCKET)('are kept aside by a store of files, out of reach', async () => {
    const photo = await readyPhoto(app);
    const key = photo.key('original');
    backup = {};
    await harm.flipBit(key);
    expect((await scrub(app, { deep: true })).about(photo.id)).toContain('set-aside original.jpg');
    expect(await storedKeys(app)).not.toContain(key);
    const aside = join(app.dataDir, 'objects', '#aside', hash('sha256', key));
    expect(await readdir(aside)).toHaveLength(1);
    await app.files.deletePhoto(ADMIN, fileId(photo.id));
    await untilDelivered(app);
    await expect(readdir(aside)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('are refused to the CDN by a tag where hiding them would destroy an earlier version', async () => {
    const photo = await readyPhoto(app);
    const key = photo.key('original');
    backup = {};
    await harm.flipBit(key);
    const { deps } = scrubUnderFaults(app);
    const tags: Record<string, object> = {};
    const primary: typeof deps.primary = {
      ...deps.primary,
      hideFile: () => Promise.reject(new StorageError('CONFLICT')),
      fileTags: async () => ({ team: 'photos' }),
      tagFile: async (tagged, to) => void (tags[tagged] = to),
    };
    const first = context();
    await scrubObjects({ ...deps, primary })(first);
    expect(first.said.filter((line) => line.includes(photo.id))).toEqual([
      `damaged ${key}`,
      `postpone ${key}`,
    ]);
    expect(tags[key]).toEqual({ team: 'photos', 'localex-withheld': 'yes' });
    expect(await storedKeys(app)).toContain(key);
    const next = context();
    await scrubObjects({ ...deps, primary })(next);
    expect(next.said.filter((line) => line.includes(photo.id))).toEqual([`still-lost ${key}`]);
  });
});

describe('a file under legal hold', () => {
  test('has damaged bytes kept in quarantine until it is lifted, and read by nobody; a good copy is taken all the same', async () => {
    const photo = await readyPhoto(app);
    const key = photo.key('original');
    const good = await bytesOf(key);
    await app.lifecycle.setHold(ADMIN, fileId(photo.id), 'Case 4711');
    const damaged = randomBytes(100_000);
    await harm.replace(key, damaged, { keepsEtag: true });
    backup = {};
    for (const dryRun of [true, false]) {
      const { about, run } = await scrub(app, { deep: true, dryRun });
      expect(about(photo.id)).toEqual(['damaged original.jpg', 'hold original.jpg']);
      expect(run.result).toMatchObject({ held: 1, lost: 0 });
    }
    await expect(bytesOf(key)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const [aside = ''] = await listAsides(app.db, photo.id);
    expect(await warningsOf(photo.id)).toEqual(['DAMAGED']);
    expect((await scrub(app, { deep: true })).about(photo.id)).toEqual(['still-lost original.jpg']);
    backup = { has: good };
    expect((await scrub(app, { deep: true })).about(photo.id)).toContain('restore original.jpg');
    await expectWhole(app, photo.id);
    await untilDelivered(app);
    expect((await bytesOf(aside)).equals(damaged)).toBe(true);
    await harm.flipBit(aside);
    backup = {};
    expect((await scrub(app, { deep: true })).about(photo.id)).toEqual([
      'damaged quarantine/view',
      'hold quarantine/view',
    ]);
    await app.lifecycle.releaseHold(ADMIN, fileId(photo.id));
    await untilDelivered(app);
    expect(await storedKeys(app)).not.toContain(aside);
    await expectWhole(app, photo.id);
  });

  test('has its evidence in quarantine watched over: what was changed is found, left, and restored', async () => {
    const owner = newSeller();
    const upload = async () =>
      untilState(
        app,
        (
          await app.files.uploadProfilePhoto(owner, userId(owner.userId), await distinctPhoto(), {
            waitMs: 20_000,
          })
        ).photo.id,
        'ready',
      );
    const { id } = await upload();
    await app.lifecycle.setHold(ADMIN, fileId(id), 'Case 4711');
    await upload();
    await untilDelivered(app);
    const [moved] = (await app.lifecycle.getHold(ADMIN, fileId(id))).evidence;
    const evidence = evidenceKey(moved?.key ?? '') ?? '';
    const good = await bytesOf(evidence);
    backup = {};
    expect((await scrub(app, { deep: true })).run.result).toMatchObject({ damaged: 0, unknown: 0 });
    await harm.flipBit(evidence);
    expect((await scrub(app, { deep: true })).about(id)).toEqual([
      'damaged quarantine/view',
      'hold quarantine/view',
    ]);
    expect(await storedKeys(app)).toContain(evidence);
    backup = { has: good };
    expect((await scrub(app, { deep: true })).about(id)).toEqual([
      'damaged quarantine/view',
      'restore quarantine/view',
    ]);
    expect((await bytesOf(evidence)).equals(good)).toBe(true);
    expect((await app.storage.fileInfo(evidence)).contentType).toBe('image/jpeg');
  });
});
