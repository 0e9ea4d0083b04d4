import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { StorageError } from '#src/domain/errors.ts';
import { type FileId, fileId } from '#src/domain/ids.ts';
import type { ModerationPolicy } from '#src/domain/moderation-policy.ts';
import type { Moderator } from '#src/ports/moderator.ts';
import type { PhotoText, TextReader } from '#src/ports/text-reader.ts';
import type { IncomingFile } from '#src/services/contracts.ts';
import {
  ADMIN,
  distinctPhoto,
  expectNoOrphans,
  MODERATOR,
  newItem,
  newSeller,
  storedKeys,
  type TestApp,
  until,
  untilState,
} from '#test/support/app.ts';
import { photoToUpload } from '#test/support/altered-photos.ts';
import { type ServedApp, startServedApp } from '#test/support/served-app.ts';
import { expectInQuarantine, expectProved } from './legal-hold-evidence-harness.ts';
import { heldPhoto, originalKey } from './legal-hold-harness.ts';

/** Doubts each photo, a little and for sure. */
const rule = (hide: number | 'never'): ModerationPolicy => ({
  name: 'hides',
  labels: { sexy: { review: 0, reject: 'never', hide }, phone: { review: 0.5, reject: 'never', hide } },
  otherLabels: { review: 'never', reject: 'never' },
  categories: {},
});

let served: ServedApp;
let app: TestApp;
let isModeratorDown = false;
let text: PhotoText;
beforeAll(async () => {
  served = await startServedApp({
    env: { QUEUE_ATTEMPTS: '2', TEXT_READING: 'true' },
    jobs: ({ moderator, policy }) => ({
      moderator: failing(moderator),
      policy: { ...policy, labels: { ...policy.labels, ...rule(0.5).labels } },
      textReader: reader,
    }),
  });
  app = served.app;
}, 60_000);
beforeEach(async () => {
  text = { lines: [], codes: [], versions: {} };
  // Replays look at all photos: those of earlier tests are out of sight.
  await app.db.updateTable('files').set({ moderation: null }).execute();
});
afterAll(() => served.close());

const reader: TextReader = { read: () => Promise.resolve(text), close: () => Promise.resolve() };

function failing(moderator: Moderator): Moderator {
  return {
    ...moderator,
    moderate: async (photo, signal) => {
      if (isModeratorDown) throw new StorageError('MODERATOR_UNAVAILABLE');
      return moderator.moderate(photo, signal);
    },
  };
}

async function uploaded(file?: IncomingFile, who = newSeller()) {
  const item = await newItem(app, who);
  const { photo } = await app.files.uploadItemPhoto(who, item, file ?? (await distinctPhoto()), {
    waitMs: 0,
  });
  return { id: fileId(photo.id), item, who };
}

async function publicPhoto() {
  const made = await uploaded();
  await untilState(app, made.id, 'ready');
  await until('its text', async () => {
    const row = await app.db
      .selectFrom('text_reads')
      .select('outcome')
      .where('file_id', '=', made.id)
      .executeTakeFirst();
    return row?.outcome ?? null;
  });
  return { ...made, key: await originalKey(app, made.id) };
}

async function replayed(policy: ModerationPolicy, dryRun = false) {
  const { id } = await app.moderation.replay(ADMIN, { policy, dryRun, release: false });
  return until('the replay to end', async () => {
    const { run, actions } = await app.runs.get(ADMIN, id, { limit: 100 });
    return run.finishedAt === null ? null : actions.map(({ action, subject }) => [action, subject]);
  });
}

const entryOf = async (id: FileId) =>
  (await app.review.listReview(MODERATOR, { limit: 100 })).photos.find(({ photo }) => photo.id === id);
const publicKeys = async (id: FileId) =>
  (await storedKeys(app)).filter((key) => key.startsWith('items/') && key.includes(id));

describe('a public photo that a replay finds doubtful, under a policy that hides it', () => {
  test('is told of by a dry run, then nowhere public, in its place in the listing, and before a moderator', async () => {
    const { id, item, who, key } = await publicPhoto();
    expect(await replayed(rule(0), true)).toEqual([['hide', id]]);
    expect((await app.files.getPhoto(null, id)).state).toBe('ready');
    expect(await served.status(key)).toBe(200);

    expect(await replayed(rule(0))).toEqual([['hide', id]]);
    await expectProved(served, { id, item, seller: who, key, bytes: Buffer.of() });
    expect(await served.status(key)).toBe(404);
    expect(await publicKeys(id)).toEqual([]);
    expect((await app.files.getItemPhotos(null, item)).photos).toEqual([]);
    expect(await app.files.getPhoto(who, id)).toMatchObject({ state: 'in_review', position: 0 });
    expect(await entryOf(id)).toMatchObject({
      source: 'moderation',
      findings: [{ label: 'sexy' }],
      viewUrl: expect.stringContaining('quarantine/view/'),
    });
    const { entries } = await app.audit.list(ADMIN, { fileId: id, action: 'photo.hide' }, { limit: 2 });
    expect(entries).toMatchObject([
      {
        userId: ADMIN.userId,
        details: { source: 'moderation', labels: ['sexy'], runId: expect.any(String) },
      },
    ]);
    await expectNoOrphans(app);
  });

  test('is public again as soon as it is approved, and not hidden for the same once more', async () => {
    const { id, key } = await publicPhoto();
    await replayed(rule(0));
    await app.review.decide(MODERATOR, id, { decision: 'approve' });
    expect(await served.status(key)).toBe(200);
    expect(await untilState(app, id, 'ready')).toMatchObject({ position: 0, reason_code: null });
    expect(await replayed(rule(0))).toEqual([['approved-by-person', id]]);
    await expectNoOrphans(app);
  });

  test('is gone when it is refused, and its picture banned as that of a take-down', async () => {
    const { id } = await publicPhoto();
    await replayed(rule(0));
    await app.review.decide(MODERATOR, id, { decision: 'reject', reasonCode: 'weapon' });
    expect(await findFile(app.db, id)).toMatchObject({ state: 'rejected', position: null });
    const { pictures } = await app.copies.listBanned(MODERATOR, { limit: 10 });
    expect(pictures.map((picture) => picture.fileId)).toContain(id);
    await app.db.deleteFrom('banned_pictures').execute();
    await app.db.deleteFrom('fingerprints').execute();
  });

  test('stays public below the threshold of hiding', async () => {
    const { id } = await publicPhoto();
    expect(await replayed(rule(1))).toEqual([['open-case', id]]);
    expect((await app.files.getPhoto(null, id)).state).toBe('ready');
  });

  test('keeps its original as evidence while it is under legal hold', async () => {
    const held = await heldPhoto(app);
    expect(await replayed(rule(0))).toEqual([['hide', held.id]]);
    await expectInQuarantine(served, held);
    await app.review.decide(MODERATOR, held.id, { decision: 'reject', reasonCode: 'bad_quality' });
    await expectInQuarantine(served, held);
  });
});

test('text that the policy hides takes the photo out of the public when it is read, others stay', async () => {
  const region = { left: 0, top: 0, width: 0.1, height: 0.1 };
  text = { ...text, lines: [{ text: 'Call 07700 900123', confidence: 1, region }] };
  const { id } = await uploaded();
  const hidden = await untilState(app, id, 'in_review');
  expect(hidden.published_at).not.toBeNull();
  expect(await publicKeys(id)).toEqual([]);
  expect(await entryOf(id)).toMatchObject({ source: 'contact', findings: [{ label: 'phone' }] });
  await app.review.decide(MODERATOR, id, { decision: 'approve' });
  await untilState(app, id, 'ready');
});

test('a photo that people published unchecked is hidden when it is recognised as a banned picture', async () => {
  const banned = await uploaded(await photoToUpload('mountains.jpg'));
  await untilState(app, banned.id, 'ready');
  await app.review.decide(MODERATOR, banned.id, { decision: 'takedown', reasonCode: 'weapon' });
  isModeratorDown = true;
  const { id } = await uploaded(await photoToUpload('mountains.jpg', 'half the size'));
  await untilState(app, id, 'in_review');
  isModeratorDown = false;
  await app.review.decide(MODERATOR, id, { decision: 'approve', reason: 'It looks fine.' });
  await until('the banned picture to be recognised', async () => {
    const entry = await entryOf(id);
    return entry?.source === 'fingerprint' && entry.photo.state === 'in_review' ? true : null;
  });
  expect(await publicKeys(id)).toEqual([]);
});
