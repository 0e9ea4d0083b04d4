import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countCharge, findPolicy } from '#src/db/moderation.ts';
import { listFindings } from '#src/db/review-cases.ts';
import type { Principal } from '#src/domain/access.ts';
import { type FakeRekognition, startFakeRekognition } from '#test/fakes/rekognition.ts';
import {
  MODERATOR,
  newItem,
  newSeller,
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

describe('with Rekognition beside the local models', () => {
  let app: TestApp;
  let fake: FakeRekognition;
  beforeAll(async () => {
    process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
    process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
    fake = await startFakeRekognition();
    app = await startApp({
      env: {
        MODERATION_DRIVER: 'local,rekognition',
        REKOGNITION_ENDPOINT: fake.endpoint,
        QUEUE_ATTEMPTS: '2',
      },
    });
  });
  afterAll(async () => {
    await app.close();
    await fake.close();
  });
  const upload = async (who: Principal) => {
    const { photo } = await app.files.uploadItemPhoto(who, await newItem(app, who), await photoFile(), ASYNC);
    return photo.id;
  };

  test('what it alone sees sends a photo to a person, and each photo is counted', async () => {
    fake.labels = [
      { Name: 'Hate Symbols', ParentName: '', TaxonomyLevel: 1, Confidence: 81 },
      { Name: 'Nazi Party', ParentName: 'Hate Symbols', TaxonomyLevel: 2, Confidence: 81 },
    ];
    const file = await untilState(app, await upload(newSeller()), 'in_review');
    expect(file.moderation).toMatchObject({
      moderator: 'local+rekognition',
      versions: { rekognition: '7.0' },
      labels: [{ label: 'hate_symbols', confidence: 0.81, outcome: 'review', threshold: 0.5 }],
    });
    fake.labels = [];
    await untilState(app, await upload(newSeller()), 'ready');
    const { charges, blindSpots } = await app.moderation.overview(MODERATOR);
    expect(charges).toMatchObject([{ detector: 'rekognition', photos: 2, usd: 0.002 }]);
    expect(blindSpots).toEqual(['who is shown and how old', 'insults and threats in words']);
  });

  test('a hiccup of it is overcome, and its outage sends photos to people, never to the public', async () => {
    fake.faults.push('throttled');
    await untilState(app, await upload(newSeller()), 'ready');
    fake.faults.push(...Array.from({ length: 10 }, () => 'unavailable' as const));
    const file = await untilState(app, await upload(newSeller()), 'in_review');
    expect(file).toMatchObject({ reason_code: 'MODERATOR_UNAVAILABLE', published_at: null });
  });
});
