import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countCharge, findPolicy } from '#src/db/moderation.ts';
import { listFindings } from '#src/db/review-cases.ts';
import {
  MODERATOR,
  newItem,
  photoFile,
  SELLER,
  startApp,
  type TestApp,
  untilState,
} from '#test/support/app.ts';
import { DOUBT_ALL } from '#test/support/policies.ts';

const ASYNC = { waitMs: 0 };

describe('a photo that the policy sends to a person', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({ env: DOUBT_ALL });
  });
  afterAll(() => app.close());

  test('keeps what was seen, by which model, and the threshold and policy that made it doubtful', async () => {
    const { photo } = await app.files.uploadItemPhoto(SELLER, await newItem(app), await photoFile(), ASYNC);
    const file = await untilState(app, photo.id, 'in_review');
    const { moderation } = file;
    expect(moderation).toMatchObject({ verdict: 'review', moderator: 'local' });
    expect(moderation?.scores?.map(({ label }) => label)).toEqual([
      'porn',
      'hentai',
      'explicit',
      'sexy',
      'gun',
    ]);
    const version = moderation?.policy?.version ?? '';
    expect(await findPolicy(app.db, version)).toMatchObject({ name: 'every photo to a person' });
    const findings = (await listFindings(app.db, [photo.id])).get(photo.id);
    expect(findings).toMatchObject([
      {
        source: 'moderation',
        label: 'sexy',
        model: 'nsfw-mobilenet-v2-mid',
        version: file.analysis?.models['nsfw-mobilenet-v2-mid'],
        details: { outcome: 'review', threshold: 0, policy: version },
      },
    ]);
  });
});

test('a policy that cannot be used ends the start, naming file, place and value', async () => {
  const path = new URL('../../fixtures/policies/broken.json', import.meta.url).pathname;
  await expect(startApp({ env: { MODERATION_POLICY_FILE: path } })).rejects.toMatchObject({
    code: 'INVALID_CONFIGURATION',
    message: expect.stringMatching(/broken\.json[^]*labels\.gun\.review: holds 7, expected a number from 0/),
  });
});

describe('what moderators are told', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({ worker: false });
  });
  afterAll(() => app.close());

  test('is what nobody but they can see, and the policy in force', async () => {
    const overview = await app.moderation.overview(MODERATOR);
    expect(overview.detectors).toMatchObject([{ name: 'local' }]);
    expect(overview.blindSpots).toEqual(expect.arrayContaining(['violence', 'hate symbols', 'drugs']));
    expect(overview.blindSpots).not.toContain('firearms');
    expect(await findPolicy(app.db, overview.policy.version)).toMatchObject({ name: 'shipped' });
    await expect(app.moderation.overview(SELLER)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  test('counts what is charged, photo by photo, from all processes, by month', async () => {
    await Promise.all([1, 2, 3].map(() => countCharge(app.db, 'rekognition')));
    await app.db
      .insertInto('moderation_charges')
      .values({ day: '2020-01-31', detector: 'rekognition', photos: 9 })
      .execute();
    const { charges } = await app.moderation.overview(MODERATOR);
    const month = new Date().toISOString().slice(0, 7);
    expect(charges).toEqual([{ month, detector: 'rekognition', photos: 3, usd: 0.003 }]);
  });
});
