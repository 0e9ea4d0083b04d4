import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitingChanges } from '#src/db/search-outbox.ts';
import type { Principal } from '#src/domain/access.ts';
import { fileId, itemId } from '#src/domain/ids.ts';
import { isOver } from '#src/domain/runs.ts';
import type { PhotoSearch } from '#src/services/search.service.ts';
import {
  ADMIN,
  MODERATOR,
  newSeller,
  photoFile,
  startApp,
  type TestApp,
  until,
  untilState,
} from '#test/support/app.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const found = async (who: Principal | null, search: Omit<PhotoSearch, 'limit'> = {}) =>
  app.search.searchPhotos(who, { limit: 20, ...search });
const ids = async (...asked: Parameters<typeof found>) => (await found(...asked)).photos.map(({ id }) => id);

/** Waits until the feed has written everything that has changed. */
const untilFed = () =>
  until('the index to be up to date', async () =>
    (await waitingChanges(app.db)).waiting === 0 ? true : null,
  );

async function publish(title: string, photo: string, who: Principal): Promise<{ item: string; id: string }> {
  const { item } = await app.items.createItem(who, { title, category: 'wildlife' });
  const answer = await app.files.uploadItemPhoto(who, itemId(item.id), await photoFile(photo), {
    waitMs: 15_000,
  });
  await untilState(app, answer.photo.id, 'ready');
  await untilFed();
  return { item: item.id, id: answer.photo.id };
}

test('a photo is found by its title, what is seen in it, its colors and shape, and as it is changed', async () => {
  const who = newSeller();
  const { item, id } = await publish('Étoile de mer, séchée', 'lumia-820-starfish.jpg', who);
  for (const search of [
    { text: 'etoile' },
    { text: 'ÉTOILE séch' },
    { text: 'wildlife' },
    { text: 'etoille' },
    { format: 'jpeg', minWidth: 100, orientation: 'landscape', category: 'wildlife', ownerId: who.userId },
  ] as const)
    expect(await ids(null, search), JSON.stringify(search)).toEqual([id]);
  expect((await found(null, { text: 'etoille' })).match).toBe('similar');
  const { photos, items, match, next } = await found(null, { text: 'shopping cart' });
  expect(
    photos.map((photo) => photo.id),
    'the classifier sees one',
  ).toEqual([id]);
  expect(photos[0]).toMatchObject({ sha256: null, variants: { thumbnail: { width: 300 } } });
  expect({ items, match, next }).toEqual({
    items: [{ id: item, title: 'Étoile de mer, séchée' }],
    match: 'exact',
    next: null,
  });

  await app.items.updateItem(who, itemId(item), { title: 'Teapot' });
  await app.files.setAlt(who, fileId(id), 'seen from above');
  await untilFed();
  expect(await ids(null, { text: 'teapot above' })).toEqual([id]);
  expect(await ids(null, { text: 'etoile' })).toEqual([]);

  await app.items.updateItem(who, itemId(item), { status: 'draft' });
  expect(await ids(null, { text: 'teapot' }), 'at once, whatever the index says').toEqual([]);
  await untilFed();
  expect(await ids(null, { text: 'teapot' })).toEqual([]);
  expect(await ids(who, { text: 'teapot' })).toEqual([id]);
});

test('a photo that is taken down is found by its owner and moderators only, and one that is deleted by nobody', async () => {
  const who = newSeller();
  const { id } = await publish('A nuthatch', 'nuthatch.jpg', who);
  expect(await ids(null, { text: 'nuthatch' })).toEqual([id]);
  await app.review.decide(MODERATOR, fileId(id), { decision: 'takedown', reason: 'No' });
  for (const fed of [false, true]) {
    if (fed) await untilFed();
    expect(await ids(null, { text: 'nuthatch' })).toEqual([]);
    expect(await ids(newSeller(), { text: 'nuthatch' })).toEqual([]);
  }
  expect(await ids(who, { text: 'nuthatch' })).toEqual([id]);
  expect(await ids(MODERATOR, { text: 'nuthatch', state: 'taken_down' })).toEqual([id]);
  expect(await ids(null, { state: 'taken_down' })).toEqual([]);
  await app.files.deletePhoto(who, fileId(id));
  await untilState(app, id, 'deleted');
  await untilFed();
  expect(await ids(ADMIN, { text: 'nuthatch' })).toEqual([]);
});

test('pages hold together, and a page marker that is not ours is refused', async () => {
  const who = newSeller();
  const first = await publish('Page one', 'lake.jpg', who);
  const second = await publish('Page two', 'sunset.jpg', who);
  const page = await found(null, { ownerId: who.userId });
  expect(page.photos.map(({ id }) => id)).toEqual([second.id, first.id]);
  for (const text of ['', 'page']) {
    const one = await app.search.searchPhotos(null, { text, ownerId: who.userId, limit: 1 });
    const two = await app.search.searchPhotos(null, {
      text,
      ownerId: who.userId,
      limit: 1,
      after: one.next ?? '',
    });
    expect([...one.photos, ...two.photos].map(({ id }) => id).toSorted()).toEqual(
      [first.id, second.id].toSorted(),
    );
    expect(two.next).toBeNull();
  }
  for (const after of ['', 'x', Buffer.from('[true,1,"x"]').toString('base64url')])
    await expect(found(null, { after })).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
});

test('the index is made anew while it answers: by an admin, compared with the rows, and the old one is gone', async () => {
  await publish('Waterfall', 'waterfall.jpg', newSeller());
  const before = await app.searching.index.indexes();
  await expect(app.search.rebuild(MODERATOR, { dryRun: false })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  const outcome = async (dryRun: boolean) => {
    const { id } = await app.search.rebuild(ADMIN, { dryRun });
    return until('the run to end', async () => {
      const { run, actions } = await app.runs.get(ADMIN, id, { limit: 100 });
      return isOver(run.state) ? { ...run, actions } : null;
    });
  };
  const dry = await outcome(true);
  expect(dry).toMatchObject({ state: 'succeeded', result: { index: before[0], different: 0 }, actions: [] });
  const made = await outcome(false);
  expect(made).toMatchObject({ state: 'succeeded', result: { different: 0, hash: dry.result?.['hash'] } });
  expect(await app.searching.index.indexes()).toEqual([made.result?.['index']]);
  expect(made.result?.['index']).not.toBe(before[0]);
  expect(await ids(null, { text: 'waterfall' })).toHaveLength(1);
});
