import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
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
import { expectWhole, readyPhoto, scrub } from './scrub-harness.ts';

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
    'stay where they lie while a source cannot be asked for all it has (%s), are no longer offered, and come back when it can',
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
      expect((await bytesOf(key)).equals(damaged)).toBe(true);
      expect(await warningsOf(photo.id)).toEqual(['DAMAGED']);
      const [shown] = (await app.files.getItemPhotos(null, itemId(photo.itemId))).photos;
      expect(shown?.variants.original).toBeUndefined();

      backup = { has: good };
      expect((await scrub(app, { deep: false })).about(photo.id)).toEqual([
        'damaged original.jpg',
        'restore original.jpg',
      ]);
      expect(await warningsOf(photo.id)).toEqual([]);
      await expectWhole(app, photo.id);
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

  test.skipIf(USES_BUCKET)('are kept aside by a store of files, out of reach', async () => {
    const photo = await readyPhoto(app);
    const key = photo.key('original');
    backup = {};
    await harm.flipBit(key);
    expect((await scrub(app, { deep: true })).about(photo.id)).toContain('set-aside original.jpg');
    expect(await storedKeys(app)).not.toContain(key);
    const aside = join(app.dataDir, 'objects', '#aside');
    expect(await readdir(aside)).toHaveLength(1);
    await app.files.deletePhoto(ADMIN, fileId(photo.id));
    await untilDelivered(app);
    expect(await readdir(aside)).toEqual([]);
  });
});

describe('a file under legal hold', () => {
  test('is left as it is, and reported; a good copy is taken all the same', async () => {
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
    expect((await bytesOf(key)).equals(damaged)).toBe(true);
    expect(await warningsOf(photo.id)).toEqual(['DAMAGED']);
    backup = { has: good };
    expect((await scrub(app, { deep: true })).about(photo.id)).toContain('restore original.jpg');
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
