import { randomBytes, randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Principal } from '#src/domain/access.ts';
import { documentKey, objectKey, quarantineRawKey } from '#src/domain/keys.ts';
import { type FileId, fileId, userId } from '#src/domain/ids.ts';
import { findFile } from '#src/db/files.ts';
import { findLiveObject } from '#src/db/scrub.ts';
import { listVariants } from '#src/db/variants.ts';
import { scrubDeps } from '#src/app/scrub.ts';
import { loadConfig } from '#src/config/index.ts';
import { createImageEngine } from '#src/images/engine.ts';
import { scrubObjects } from '#src/jobs/scrub.ts';
import type { ModerationResult, Moderator } from '#src/ports/moderator.ts';
import {
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
import { silentLog } from '#test/support/silent-log.ts';
import { harmTo } from '#test/support/harm.ts';
import { expectWhole, openReplica, type Replica, scrub } from './scrub-harness.ts';

let app: TestApp;
let replica: Replica;
let harm: ReturnType<typeof harmTo>;
let verdict: ModerationResult['verdict'] = 'publish';
beforeAll(async () => {
  replica = await openReplica();
  app = await startApp({
    backups: [replica.backup],
    jobs: ({ moderator }) => ({ moderator: saying(moderator) }),
  });
  harm = harmTo(app.dataDir);
});
afterAll(async () => {
  await app.close();
  await replica.close();
});

function saying(moderator: Moderator): Moderator {
  return {
    ...moderator,
    moderate: async (photo, signal) => ({ ...(await moderator.moderate(photo, signal)), verdict }),
  };
}

const warningsOf = async (id: string) => (await findFile(app.db, fileId(id)))?.warnings;

describe('an identity document', () => {
  async function document() {
    const who = newSeller();
    const { body } = await distinctPhoto();
    const file = { filename: 'passport.jpg', type: null, body };
    const { photo } = await app.files.uploadVerificationDocument(who, userId(who.userId), file, {
      waitMs: 15_000,
    });
    return { who, body, id: fileId(photo.id), key: documentKey(userId(who.userId), fileId(photo.id)) };
  }
  const read = async (who: Principal, id: FileId) =>
    buffer((await app.files.openVerificationDocument(who, id)).body);

  test('is proved by opening it once, and by the hash of its encrypted bytes from then on', async () => {
    const { key } = await document();
    expect(await findLiveObject(app.db, key)).toMatchObject({ sha256: null });
    expect((await scrub(app, { deep: true })).run.result).toMatchObject({ damaged: 0, unknown: 0 });
    expect(await findLiveObject(app.db, key)).toMatchObject({
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    await harm.flipBit(key);
    await scrub(app, { deep: true, dryRun: true });
    const { actions } = await scrub(app, { deep: true, dryRun: true });
    expect(actions).toContainEqual(
      expect.objectContaining({
        action: 'damaged',
        details: expect.objectContaining({ foundSha256: expect.anything() }),
      }),
    );
    await scrub(app, { deep: true });
  });

  test.each([false, true])(
    'that was changed comes back from the replica (hash known: %s)',
    async (isKnown) => {
      const { who, id, body, key } = await document();
      if (isKnown) await scrub(app, { deep: true });
      await replica.replicate(app);
      await harm.flipBit(key);
      await expect(read(who, id)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      const { about } = await scrub(app, { deep: true });
      expect(about(id)).toEqual(['damaged verification/documents', 'restore verification/documents']);
      expect((await read(who, id)).equals(body)).toBe(true);
      expect(await warningsOf(id)).toEqual([]);
    },
  );

  test('is not taken from a replica whose copy does not open; its owner is told, and it stays closed', async () => {
    const [one, other] = [await document(), await document()];
    await replica.replicate(app);
    const foreign = await buffer((await app.storage.downloadFile(other.key)).body);
    await replica.store.put(objectKey(one.key), foreign, { contentType: 'application/octet-stream' });
    await harm.replace(one.key, randomBytes(100_000), { keepsEtag: true });
    const { about } = await scrub(app, { deep: true });
    expect(about(one.id)).toEqual(['damaged verification/documents', 'set-aside verification/documents']);
    const [listed] = await app.files.listVerificationDocuments(one.who, userId(one.who.userId));
    expect(listed).toMatchObject({ state: 'ready', warnings: ['DAMAGED'] });
    await expect(read(one.who, one.id)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect((await read(other.who, other.id)).equals(other.body)).toBe(true);
    // A look that reads nothing does not take it for mended.
    expect((await scrub(app, { deep: false })).about(one.id)).toEqual(['still-lost verification/documents']);
    await app.files.deleteVerificationDocument(one.who, one.id);
  });

  test('whose key was destroyed is never opened again, whatever the replica has', async () => {
    const { id, key, who } = await document();
    await replica.replicate(app);
    await app.files.deleteVerificationDocument(who, id);
    await untilDelivered(app);
    expect((await scrub(app, { deep: true })).about(id)).toEqual([]);
    expect(await storedKeys(app)).not.toContain(key);
  });
});

describe('a photo in quarantine', () => {
  async function inReview() {
    verdict = 'review';
    const who = newSeller();
    const item = await newItem(app, who);
    const { photo } = await app.files.uploadItemPhoto(who, item, await distinctPhoto(), { waitMs: 0 });
    const file = await untilState(app, photo.id, 'in_review');
    const view = (await storedKeys(app)).find((key) => key.startsWith(`quarantine/view/${photo.id}`)) ?? '';
    return { who, id: fileId(photo.id), raw: quarantineRawKey(fileId(photo.id)), view, file };
  }
  const approve = (id: FileId) => app.review.decide(MODERATOR, id, { decision: 'approve', reason: 'Fine.' });

  test('keeps its labels on all its ways: into quarantine, out of it, and back', async () => {
    const { id } = await inReview();
    await approve(id);
    await untilState(app, id, 'ready');
    await untilDelivered(app);
    expect((await scrub(app, { deep: true })).about(id)).toEqual([]);
    await app.review.decide(MODERATOR, id, { decision: 'takedown', reason: 'After all.' });
    await untilDelivered(app);
    expect((await scrub(app, { deep: true })).about(id)).toEqual([]);
    await expectNoOrphans(app);
  });

  test('approved has renditions of its stored original: one made again is what it was, under its own key', async () => {
    const { id } = await inReview();
    await approve(id);
    await untilState(app, id, 'ready');
    const before = await listVariants(app.db, [id]);
    const key = before.find((row) => row.name === 'medium' && row.format === 'webp')?.key ?? '';
    await harm.replace(key, randomBytes(20_000));
    const { actions } = await scrub(app, { deep: true });
    expect(
      actions
        .filter(({ subject }) => subject === key)
        .map(({ action, details }) => [action, details['under']]),
    ).toEqual([
      ['damaged', undefined],
      ['rebuild', 'same keys'],
    ]);
    expect(await listVariants(app.db, [id])).toEqual(before);
    await expectWhole(app, id);
  });

  test('made again by another encoder has other bytes, and so other keys: a key never has two contents', async () => {
    const { id } = await inReview();
    await approve(id);
    await untilState(app, id, 'ready');
    const before = await listVariants(app.db, [id]);
    const key = before.find((row) => row.name === 'medium' && row.format === 'jpeg')?.key ?? '';
    await harm.remove(key);
    const encoder = { ...app.jobs.encoder, jpegQuality: 60 };
    const config = loadConfig({});
    const images = createImageEngine({
      ...config.images,
      maxBytes: config.s3.maxFileSize,
      formats: { heic: true, avif: true },
      encoder,
      openTimeoutMs: config.images.stepTimeoutMs,
      log: silentLog,
    });
    try {
      await scrubObjects({ ...scrubDeps(config, app), images, encoder })({
        run: { id: randomUUID(), kind: 'scrub', requestedBy: 'test' },
        params: { deep: false },
        dryRun: false,
        cursor: null,
        signal: new AbortController().signal,
        checkpoint: () => Promise.resolve(),
      });
    } finally {
      await images.close();
    }
    const after = await listVariants(app.db, [id]);
    const keys = (rows: typeof after, name: string) =>
      rows.filter((row) => row.name === name).map((row) => row.key);
    expect(keys(after, 'medium')).toHaveLength(2);
    for (const old of keys(before, 'medium')) expect(keys(after, 'medium')).not.toContain(old);
    expect(keys(after, 'large').toSorted()).toEqual(keys(before, 'large').toSorted());
    await expectWhole(app, id);
    await expectNoOrphans(app);
  });

  test('has its upload and its view back from the replica', async () => {
    const { id, raw, view } = await inReview();
    await replica.replicate(app);
    await harm.flipBit(raw);
    await harm.remove(view);
    const { about } = await scrub(app, { deep: true });
    expect(
      about(id)
        .filter((line) => line.startsWith('restore'))
        .toSorted(),
    ).toEqual(['restore quarantine/raw', 'restore quarantine/view']);
    await expectWhole(app, id);
    await approve(id);
    await untilState(app, id, 'ready');
  });

  test('whose view was changed is never published with it, not even before a scrub has seen that', async () => {
    const { id, view } = await inReview();
    const intruder = (await distinctPhoto()).body;
    await harm.replace(view, intruder, { keepsEtag: true });
    await expect(approve(id)).rejects.toMatchObject({ code: 'OBJECT_DAMAGED' });
    expect(await untilState(app, id, 'in_review')).toMatchObject({ id });
    expect((await storedKeys(app)).filter((key) => key.startsWith('items/') && key.includes(id))).toEqual([]);
    const { about } = await scrub(app, { deep: true });
    expect(about(id)).toEqual(['damaged quarantine/view', 'set-aside quarantine/view']);
    expect(await storedKeys(app)).not.toContain(view);
    await expect(approve(id)).rejects.toMatchObject({ code: 'CONFLICT' });
    await app.review.decide(MODERATOR, id, { decision: 'reject', reason: 'Lost.' });
    await untilState(app, id, 'rejected');
  });
});
