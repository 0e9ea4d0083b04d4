import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { type FileId, fileId } from '#src/domain/ids.ts';
import type { ModerationPolicy } from '#src/domain/moderation-policy.ts';
import type { Moderator } from '#src/ports/moderator.ts';
import { ModerationPolicySchema } from '#src/services/moderation/policy-schema.ts';
import {
  ADMIN,
  distinctPhoto,
  MODERATOR,
  newItem,
  newSeller,
  SELLER,
  startApp,
  type TestApp,
  until,
  untilState,
} from '#test/support/app.ts';
import { DOUBT_ALL } from '#test/support/policies.ts';

let app: TestApp;
let doubtful: ModerationPolicy;
let verdict: 'publish' | 'review' | 'reject' = 'publish';

beforeAll(async () => {
  app = await startApp({ jobs: ({ moderator }) => ({ moderator: saying(moderator) }) });
  doubtful = ModerationPolicySchema.parse(
    JSON.parse(await readFile(DOUBT_ALL.MODERATION_POLICY_FILE, 'utf8')),
  );
});
beforeEach(() => emptied());
afterAll(() => app.close());

/** The real moderator, whose verdict is set by the test. */
function saying(moderator: Moderator): Moderator {
  return {
    ...moderator,
    moderate: async (photo, signal) => ({ ...(await moderator.moderate(photo, signal)), verdict }),
  };
}

/** Replays look at all photos: those of earlier tests are out of sight. */
async function emptied(): Promise<void> {
  await app.db.updateTable('files').set({ moderation: null }).execute();
}

async function uploaded(wanted: typeof verdict): Promise<FileId> {
  verdict = wanted;
  const who = newSeller();
  const item = await newItem(app, who);
  const { photo } = await app.files.uploadItemPhoto(who, item, await distinctPhoto(), { waitMs: 0 });
  await untilState(
    app,
    photo.id,
    ({ publish: 'ready', review: 'in_review', reject: 'rejected' } as const)[wanted],
  );
  return fileId(photo.id);
}

async function replayed(
  policy: ModerationPolicy | null,
  { dryRun = false, release = false }: { dryRun?: boolean; release?: boolean } = {},
) {
  const { id } = await app.moderation.replay(ADMIN, { policy, dryRun, release });
  const page = { limit: 100 };
  return until('the replay to end', async () => {
    const { run, actions } = await app.runs.get(ADMIN, id, page);
    if (run.finishedAt === null) return null;
    expect(run.state).toBe('succeeded');
    return {
      result: run.result,
      actions: actions.map(({ action, subject }) => [action, subject]),
      full: actions,
    };
  });
}

const moderationOf = async (id: FileId) => (await findFile(app.db, id))?.moderation;
const queued = async (id: FileId) =>
  (await app.review.listReview(MODERATOR, { limit: 100 })).photos.find(({ photo }) => photo.id === id);

describe('a public photo that another policy has doubts about', () => {
  test('is only told of by a dry run', async () => {
    const id = await uploaded('publish');
    const before = await moderationOf(id);
    const { actions, full, result } = await replayed(doubtful, { dryRun: true });
    expect(actions).toEqual([['open-case', id]]);
    expect(full[0]?.details).toMatchObject({
      state: 'ready',
      from: 'publish',
      to: 'review',
      labels: [{ label: 'sexy', threshold: 0 }],
    });
    expect(result).toMatchObject({ photos: 1, changes: { 'open-case': 1 }, labels: { sexy: 1 }, failed: 0 });
    expect(await moderationOf(id)).toEqual(before);
    expect(await queued(id)).toBeUndefined();
  });

  test('is put before a person and stays public; its old verdict is kept; a second run finds it there', async () => {
    const id = await uploaded('publish');
    const before = await moderationOf(id);
    await replayed(doubtful);
    expect(await queued(id)).toMatchObject({
      source: 'moderation',
      photo: { state: 'ready' },
      findings: [{ label: 'sexy' }],
    });
    expect(await moderationOf(id)).toMatchObject({ verdict: 'review', policy: { name: doubtful.name } });
    const history = await app.db
      .selectFrom('moderation_history')
      .selectAll()
      .where('file_id', '=', id)
      .execute();
    expect(history.map(({ moderation }) => moderation)).toEqual([before]);
    expect((await replayed(doubtful)).actions).toEqual([['queued-already', id]]);
  });

  test('is left alone where a person has approved what is doubted, and nothing else', async () => {
    const id = await uploaded('review');
    await app.review.decide(MODERATOR, id, { decision: 'approve', reason: 'Fine.' });
    await untilState(app, id, 'ready');
    // Nobody has told the moderator of this.
    expect((await replayed(doubtful)).actions).toEqual([['open-case', id]]);
    await app.review.decide(MODERATOR, id, { decision: 'approve', reason: 'Fine, too.' });
    expect((await replayed(doubtful)).actions).toEqual([['approved-by-person', id]]);
    expect(await queued(id)).toBeUndefined();
    const alsoGuns = {
      ...doubtful,
      labels: { ...doubtful.labels, gun: { review: 0, reject: 'never' } as const },
    };
    expect((await replayed(alsoGuns)).actions).toEqual([['open-case', id]]);
  });
});

describe('a photo that waits for the doubt of a machine that has none any more', () => {
  test('waits on, unless the run was asked to publish', async () => {
    const id = await uploaded('review');
    expect((await replayed(null)).actions).toEqual([['releasable', id]]);
    await untilState(app, id, 'in_review');
    expect((await replayed(null, { release: true, dryRun: true })).actions).toEqual([['release', id]]);
    await untilState(app, id, 'in_review');
    await replayed(null, { release: true });
    await untilState(app, id, 'ready');
    expect(await moderationOf(id)).toMatchObject({ verdict: 'publish', policy: { name: 'shipped' } });
    expect(await queued(id)).toBeUndefined();
  });

  test('is not published when there is another reason to look at it', async () => {
    const id = await uploaded('review');
    await app.db
      .insertInto('findings')
      .values({ file_id: id, source: 'fingerprint', label: 'other_seller', confidence: 1, details: '{}' })
      .execute();
    expect((await replayed(null, { release: true })).actions).toEqual([]);
    await untilState(app, id, 'in_review');
  });
});

describe('a photo that was refused', () => {
  test('by a person stays so, whatever the policy, and also once its seller appealed', async () => {
    const id = await uploaded('review');
    await app.review.decide(MODERATOR, id, { decision: 'reject', reason: 'No.' });
    expect((await replayed(null, { release: true })).actions).toEqual([]);
    await untilState(app, id, 'rejected');
    const owner = { userId: (await findFile(app.db, id))?.owner_id ?? '', roles: SELLER.roles };
    await app.files.appeal(owner, id, 'Please look again.');
    expect((await replayed(null, { release: true })).actions).toEqual([]);
    await untilState(app, id, 'in_review');
  });

  test('by machine is told of, and stays so', async () => {
    const id = await uploaded('reject');
    expect((await replayed(null, { release: true })).actions).toEqual([['no-longer-refused', id]]);
    await untilState(app, id, 'rejected');
  });
});

test('a photo that an older model saw is looked at again, and what the new one saw is kept, as much as of a new photo', async () => {
  const id = await uploaded('publish');
  const seen = (await findFile(app.db, id))?.analysis;
  const older = { ...seen, models: { ...seen?.models, 'nsfw-mobilenet-v2-mid': '000000000000' } };
  await app.db
    .updateTable('files')
    .set({ analysis: JSON.stringify(older) })
    .where('id', '=', id)
    .execute();
  const dry = await replayed(doubtful, { dryRun: true });
  expect(dry.full[0]?.details).toMatchObject({ isNewLook: true });
  expect((await findFile(app.db, id))?.analysis?.models['nsfw-mobilenet-v2-mid']).toBe('000000000000');
  await replayed(null);
  const now = (await findFile(app.db, id))?.analysis;
  expect(now?.models).toEqual(seen?.models);
  // What the picture is recognised by goes with the photo; it is not in a row that outlives it.
  expect(Object.keys(now ?? {}).toSorted()).toEqual(Object.keys(seen ?? {}).toSorted());
});

test('only admins have photos judged again', async () => {
  const request = { policy: null, release: false, dryRun: true };
  await expect(app.moderation.replay(MODERATOR, request)).rejects.toMatchObject({ code: 'FORBIDDEN' });
});
