import { afterAll, beforeAll, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { fileId } from '#src/domain/ids.ts';
import { type FakeRekognition, startFakeRekognition } from '#test/fakes/rekognition.ts';
import {
  ADMIN,
  distinctPhoto,
  newItem,
  newSeller,
  startApp,
  type TestApp,
  until,
  untilState,
} from '#test/support/app.ts';

let fake: FakeRekognition;
let app: TestApp;
beforeAll(async () => {
  process.env['AWS_ACCESS_KEY_ID'] ??= 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'test';
  fake = await startFakeRekognition();
  app = await startApp({
    env: {
      MODERATION_DRIVER: 'rekognition',
      REKOGNITION_REGION: 'eu-central-1',
      REKOGNITION_ENDPOINT: fake.endpoint,
    },
  });
});
afterAll(async () => {
  await app.close();
  await fake.close();
});

async function uploaded() {
  const who = newSeller();
  const item = await newItem(app, who);
  const { photo } = await app.files.uploadItemPhoto(who, item, await distinctPhoto(), { waitMs: 0 });
  await untilState(app, photo.id, 'ready');
  return fileId(photo.id);
}

async function replayed(request: { dryRun: boolean; newModels: boolean }) {
  const { id } = await app.moderation.replay(ADMIN, { policy: null, release: false, ...request });
  return until('the replay to end', async () => {
    const { run } = await app.runs.get(ADMIN, id, { limit: 10 });
    return run.finishedAt === null ? null : run.result;
  });
}

test('a replay tells of photos that another version of a model outside saw, and looks again when it is asked to', async () => {
  const old = await uploaded();
  fake.modelVersion = '7.1';
  await uploaded();
  expect(fake.calls).toBe(2);

  const stale = { 'rekognition 7.0': 1 };
  expect(await replayed({ dryRun: true, newModels: false })).toMatchObject({
    unchanged: 2,
    otherModel: stale,
    charged: {},
    usd: 0,
  });
  const dry = await replayed({ dryRun: true, newModels: true });
  expect(dry).toMatchObject({ notSeen: 1, otherModel: stale, charged: { rekognition: 1 } });
  expect(dry?.['usd']).toBeCloseTo(0.001, 9);
  await replayed({ dryRun: false, newModels: false });
  expect(fake.calls).toBe(2);

  expect(await replayed({ dryRun: false, newModels: true })).toMatchObject({ charged: { rekognition: 1 } });
  expect(fake.calls).toBe(3);
  expect((await findFile(app.db, old))?.moderation?.versions).toEqual({ rekognition: '7.1' });
  expect(await replayed({ dryRun: true, newModels: true })).toMatchObject({ otherModel: {}, charged: {} });
}, 60_000);
