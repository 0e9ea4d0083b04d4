import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { destroyDocumentKey } from '#src/db/document-keys.ts';
import { fileId, userId } from '#src/domain/ids.ts';
import { uploadKey } from '#src/domain/keys.ts';
import { ingest } from '#src/jobs/ingest/ingest.ts';
import { sweep } from '#src/jobs/sweep.ts';
import { keepHeldUpload } from '#src/services/lifecycle/held-upload.ts';
import type { Moderator, ModerationResult } from '#src/ports/moderator.ts';
import { ADMIN, ageFile, knowViews } from '#test/support/ageing.ts';
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
import { everythingRuns, keysOf, LEGAL } from './legal-hold-harness.ts';
import { pdfWith } from '#test/support/pdf.ts';

let app: TestApp;
let verdict: ModerationResult['verdict'] = 'publish';
beforeAll(async () => {
  app = await startApp({ jobs: ({ moderator }) => ({ moderator: saying(moderator) }) });
  await knowViews(app);
}, 60_000);
afterAll(() => app.close());

const WAIT = { waitMs: 20_000 };

function saying(moderator: Moderator): Moderator {
  return {
    ...moderator,
    moderate: async (photo, signal) => ({ ...(await moderator.moderate(photo, signal)), verdict }),
  };
}

describe('photos on their way', () => {
  test.each<[string, (on: TestApp) => Promise<unknown>]>([
    ['the sweep', (on) => sweep(on.jobs)],
    ['a lifecycle run', (on) => on.lifecycle.deleteExpiredFiles()],
  ])(
    'that were held before the work on them: %s takes the uploaded bytes out of reach of the bucket’s rules',
    async (_who, keep) => {
      const alone = await startApp({ worker: false });
      try {
        const seller = newSeller();
        const photo = await distinctPhoto();
        const answer = await alone.files.uploadItemPhoto(seller, await newItem(alone, seller), photo, {
          waitMs: 0,
        });
        const id = fileId(answer.photo.id);
        await alone.lifecycle.setHold(ADMIN, id, 'Case 4711');
        const context = {
          id: 'job',
          attempt: 1,
          isLastAttempt: false,
          isExhausted: false,
          signal: new AbortController().signal,
        };
        await ingest(alone.jobs, { fileId: id, generation: 1 }, context);
        expect((await findFile(alone.db, id))?.state).toBe('ready');
        await keep(alone);
        await untilDelivered(alone);
        const keys = (await storedKeys(alone)).filter((key) => key.includes(id));
        expect(keys.filter((key) => key.startsWith('temp/'))).toEqual([]);
        const raw = await buffer((await alone.storage.downloadFile(`quarantine/raw/${id}`)).body);
        expect(raw.equals(photo.body)).toBe(true);
        await expectNoOrphans(alone);

        await alone.lifecycle.releaseHold(ADMIN, id);
        await untilDelivered(alone);
        await expect(alone.storage.fileInfo(`quarantine/raw/${id}`)).rejects.toMatchObject({
          code: 'NOT_FOUND',
        });
      } finally {
        await alone.close();
      }
    },
    60_000,
  );

  test('that are refused keep their bytes', async () => {
    verdict = 'review';
    const seller = newSeller();
    const { photo } = await app.files.uploadItemPhoto(
      seller,
      await newItem(app, seller),
      await distinctPhoto(),
      { waitMs: 0 },
    );
    const id = fileId((await untilState(app, photo.id, 'in_review')).id);
    verdict = 'publish';
    await untilDelivered(app);
    await app.lifecycle.setHold(ADMIN, id, 'Case 4711');
    await app.review.decide(MODERATOR, id, { decision: 'reject', reason: 'Not allowed' });
    await ageFile(app, id, 3_000);
    await everythingRuns(app, 1);
    expect(await keysOf(app, id)).toHaveLength(2);
    await expect(app.files.deletePhoto(seller, id)).rejects.toMatchObject(LEGAL);
  });
});

describe('uploaded bytes', () => {
  test('that were exchanged since they were completed are not taken for what is held', async () => {
    const alone = await startApp({ worker: false });
    try {
      const seller = newSeller();
      const item = await newItem(alone, seller);
      const answer = await alone.files.uploadItemPhoto(seller, item, await distinctPhoto(), { waitMs: 0 });
      const id = fileId(answer.photo.id);
      await alone.lifecycle.setHold(ADMIN, id, 'Case 4711');
      const other = (await distinctPhoto()).body;
      await alone.storage.uploadFile(other, { key: uploadKey(id), contentType: 'image/jpeg' });
      await expect(keepHeldUpload(alone.jobs, id)).rejects.toMatchObject({ code: 'VERSION_CONFLICT' });
      expect(await keysOf(alone, id)).toEqual([uploadKey(id)]);
    } finally {
      await alone.close();
    }
  }, 60_000);
});

const HELD_PDF = pdfWith();

describe('documents', () => {
  test('that are held can neither be deleted nor shredded', async () => {
    const owner = newSeller();
    const { photo } = await app.files.uploadVerificationDocument(
      owner,
      userId(owner.userId),
      { filename: 'id.pdf', type: 'application/pdf', body: Readable.from([HELD_PDF]) },
      WAIT,
    );
    const id = fileId((await untilState(app, photo.id, 'ready')).id);
    await app.lifecycle.setHold(ADMIN, id, 'Case 4711');
    await expect(app.files.deleteVerificationDocument(owner, id)).rejects.toMatchObject(LEGAL);
    await expect(destroyDocumentKey(app.db, id)).rejects.toMatchObject(LEGAL);
    await expect(app.security.shredFile(id)).rejects.toMatchObject(LEGAL);
    await everythingRuns(app);
    const { body } = await app.files.openVerificationDocument(owner, id);
    expect((await buffer(body)).equals(HELD_PDF)).toBe(true);
    await app.lifecycle.releaseHold(ADMIN, id);
    await app.files.deleteVerificationDocument(owner, id);
    await untilState(app, id, 'deleted');
  });
});
