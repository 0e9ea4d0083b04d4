import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { findFile } from '#src/db/files.ts';
import { fileId, itemId } from '#src/domain/ids.ts';
import type { ImageEngine } from '#src/ports/image-engine.ts';
import type { Moderator } from '#src/ports/moderator.ts';
import {
  distinctPhoto,
  MODERATOR,
  newSeller,
  startApp,
  type TestApp,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';

let app: TestApp;
/** Called while a photo is judged. */
let meanwhile: () => Promise<unknown>;
let opened = 0;
beforeAll(async () => {
  app = await startApp({
    jobs: ({ moderator, images }) => ({ moderator: seeingToys(moderator), images: counting(images) }),
  });
});
beforeEach(() => {
  meanwhile = () => Promise.resolve();
});
afterAll(() => app.close());

/** The real moderator, to whom each photo shows what may be a gun: no doubt among toys, and one elsewhere. */
function seeingToys(moderator: Moderator): Moderator {
  return {
    ...moderator,
    async moderate(photo, signal) {
      const result = await moderator.moderate(photo, signal);
      await meanwhile();
      const scores = result.scores.map((score) =>
        score.label === 'gun' ? { ...score, confidence: 0.4 } : score,
      );
      return { ...result, scores };
    },
  };
}

function counting(images: ImageEngine): ImageEngine {
  return {
    ...images,
    open(...request) {
      opened += 1;
      return images.open(...request);
    },
  };
}

async function toy() {
  const who = newSeller();
  const { item } = await app.items.createItem(who, { title: 'A toy', category: 'toys' });
  const id = itemId(item.id);
  const upload = async () => {
    const { photo } = await app.files.uploadItemPhoto(who, id, await distinctPhoto(), { waitMs: 0 });
    return fileId(photo.id);
  };
  const move = (category: string) => app.items.updateItem(who, id, { category });
  return { who, upload, move };
}

test('a listing that gets another category has its photos judged by the rules of that, from what is stored', async () => {
  const { who, upload, move } = await toy();
  const id = await upload();
  await untilState(app, id, 'ready');
  const looks = opened;
  await move(' Toys');
  await untilDelivered(app);
  expect((await app.files.getPhoto(null, id)).state).toBe('ready');

  await move('tools');
  await untilState(app, id, 'in_review');
  expect(opened).toBe(looks);
  const [entry] = (await app.review.listReview(MODERATOR, { limit: 10 })).photos;
  expect(entry).toMatchObject({ photo: { id }, findings: [{ label: 'gun', confidence: 0.4 }] });
  expect((await findFile(app.db, id))?.moderation).toMatchObject({
    verdict: 'review',
    labels: [{ label: 'gun', threshold: 0.1 }],
  });
  const history = await app.db.selectFrom('moderation_history').selectAll().execute();
  expect(history).toMatchObject([{ file_id: id, run_id: null, moderation: { verdict: 'publish' } }]);

  // Nothing that waits is published by naming another category.
  await move('toys');
  await untilDelivered(app);
  expect((await app.files.getPhoto(who, id)).state).toBe('in_review');
  await app.review.decide(MODERATOR, id, { decision: 'approve' });
  await untilState(app, id, 'ready');
  await move('tools');
  await untilDelivered(app);
  expect((await app.files.getPhoto(null, id)).state).toBe('ready');
});

test('one that was judged under the category from before is judged again when it is published', async () => {
  const { upload, move } = await toy();
  meanwhile = () => move('tools');
  const id = await upload();
  const hidden = await untilState(app, id, 'in_review');
  expect(hidden.published_at).not.toBeNull();
  expect(hidden.moderation?.labels).toMatchObject([{ label: 'gun' }]);
});
