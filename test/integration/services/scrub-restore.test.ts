import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileId, itemId } from '#src/domain/ids.ts';
import { objectKey } from '#src/domain/keys.ts';
import { findFile } from '#src/db/files.ts';
import { expectNoOrphans, MODERATOR, startApp, type TestApp, untilDelivered } from '#test/support/app.ts';
import { harmTo } from '#test/support/harm.ts';
import { expectWhole, hashInStore, openReplica, readyPhoto, type Replica, scrub } from './scrub-harness.ts';

let app: TestApp;
let replica: Replica;
let harm: ReturnType<typeof harmTo>;
let edge: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  replica = await openReplica();
  app = await startApp({ backups: [replica.backup] });
  harm = harmTo(app.dataDir);
  edge = await serve(app);
});
afterAll(async () => {
  edge.close();
  await app.close();
  await replica.close();
});

/** The edge of the service, asked as a browser would. */
async function serve({ edge: handler }: TestApp) {
  const server = createServer((req, res) => {
    if (!handler.handle(req, res)) res.writeHead(418).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : null;
  const get = (path: string) => fetch(`http://127.0.0.1:${port}/cdn/${path}`);
  return {
    status: async (path: string) => (await get(path)).status,
    hash: async (path: string) => hashOf(Buffer.from(await (await get(path)).arrayBuffer())),
    close: () => server.close(),
  };
}

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const bytesOf = async (key: string) => buffer((await app.storage.downloadFile(key)).body);
const warningsOf = async (id: string) => (await findFile(app.db, fileId(id)))?.warnings;
const galleryOf = async (item: string) => {
  const [photo] = (await app.files.getItemPhotos(null, itemId(item))).photos;
  if (photo === undefined) throw new Error('Expected a photo in the gallery');
  return photo;
};

describe('an original that was changed or removed', () => {
  test.each([
    ['edited', (key: string) => harm.flipBit(key)],
    ['replaced', (key: string) => harm.replace(key, randomBytes(5_000_000))],
    ['cut', (key: string) => harm.cut(key)],
    ['removed', (key: string) => harm.remove(key)],
  ])('(%s) comes back from the replica, and is what it was', async (_, doHarm) => {
    const photo = await readyPhoto(app);
    await replica.replicate(app);
    const key = photo.key('original');
    await doHarm(key);
    const { about } = await scrub(app, { deep: true });
    expect(about(photo.id).at(-1)).toBe('restore original.jpg');
    await expectWhole(app, photo.id);
    expect(await app.storage.fileInfo(key)).toMatchObject({
      contentType: 'image/jpeg',
      cacheControl: 'public, max-age=31536000, immutable',
    });
    expect(await edge.status(key)).toBe(200);
    await expectNoOrphans(app);
    expect((await scrub(app, { deep: false })).about(photo.id)).toEqual([]);
  });

  test('swapped with that of another photo: both are found by a look, and each gets its own again', async () => {
    const [one, other] = [await readyPhoto(app), await readyPhoto(app)];
    await replica.replicate(app);
    await scrub(app, { deep: false });
    await harm.swap(one.key('original'), other.key('original'));
    const { about } = await scrub(app, { deep: false });
    for (const { id } of [one, other]) {
      expect(about(id)).toEqual(['damaged original.jpg', 'restore original.jpg']);
      await expectWhole(app, id);
    }
  });

  test('is not taken from a replica whose copy is damaged too: it is no longer served, and its owner is told', async () => {
    const photo = await readyPhoto(app);
    await replica.replicate(app);
    const key = photo.key('original');
    const bytes = await bytesOf(key);
    await harm.flipBit(key);
    await replica.store.put(objectKey(key), randomBytes(100_000), { contentType: 'image/jpeg' });
    expect(await edge.status(key)).toBe(200);
    const { about, run } = await scrub(app, { deep: true });
    expect(about(photo.id)).toEqual(['damaged original.jpg', 'set-aside original.jpg']);
    expect(run.result).toMatchObject({ damaged: 1, lost: 1 });
    await untilDelivered(app);
    expect(await edge.status(key)).toBe(404);
    expect(await edge.status(key.replace('.jpg', '.auto'))).toBe(404);
    expect(await replica.store.head(objectKey(key))).toMatchObject({ bytes: 100_000 });
    expect(await warningsOf(photo.id)).toContain('DAMAGED');
    const shown = await galleryOf(photo.itemId);
    expect(Object.keys(shown.variants).toSorted()).toEqual(['large', 'medium', 'thumbnail']);
    expect(shown).toMatchObject({ state: 'ready', position: 0 });
    expect(app.lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        details: expect.objectContaining({ alarm: 'damaged', key }),
      }),
    );
    // A good copy turns up later: the photo is whole again.
    await replica.store.put(objectKey(key), bytes, { contentType: 'image/jpeg' });
    expect((await scrub(app, { deep: false })).about(photo.id)).toEqual([
      'missing original.jpg',
      'restore original.jpg',
    ]);
    await untilDelivered(app);
    expect(await warningsOf(photo.id)).not.toContain('DAMAGED');
    expect(Object.keys((await galleryOf(photo.itemId)).variants)).toContain('original');
    expect(await edge.status(key)).toBe(200);
    await expectWhole(app, photo.id);
  });

  test('put right by hand: the next look says so, and it is offered again', async () => {
    const photo = await readyPhoto(app);
    const key = photo.key('original');
    const bytes = await bytesOf(key);
    await harm.remove(key);
    expect((await scrub(app, { deep: true })).about(photo.id)).toEqual([
      'missing original.jpg',
      'set-aside original.jpg',
    ]);
    await app.storage.uploadFile(bytes, { key, contentType: 'image/jpeg' });
    expect((await scrub(app, { deep: false })).about(photo.id)).toEqual(['recover original.jpg']);
    expect(await warningsOf(photo.id)).toEqual([]);
    expect(Object.keys((await galleryOf(photo.itemId)).variants)).toContain('original');
  });

  test('is lost together with a rendition: both are set aside, the others stay; a photo in that state can be taken down', async () => {
    const photo = await readyPhoto(app);
    await harm.flipBit(photo.key('original'));
    await harm.flipBit(photo.key('medium'));
    const { about } = await scrub(app, { deep: true });
    expect(about(photo.id).filter((line) => line.startsWith('set-aside'))).toEqual([
      'set-aside original.jpg',
      'set-aside medium.jpg',
    ]);
    const shown = await galleryOf(photo.itemId);
    expect(shown.variants.medium?.formats).toEqual({ webp: expect.anything() });
    expect(shown.srcset.jpeg).not.toContain('/medium/');
    const down = await app.review.decide(MODERATOR, fileId(photo.id), {
      decision: 'takedown',
      reason: 'No.',
    });
    expect(down.state).toBe('taken_down');
    await untilDelivered(app);
    await expectNoOrphans(app);
  });
});

describe('a rendition that was changed', () => {
  test('comes back under its own key when the replica has it, and the edge forgets what it held', async () => {
    const photo = await readyPhoto(app);
    await replica.replicate(app);
    const key = photo.key('thumbnail');
    const sha256 = photo.rows.find((row) => row.key === key)?.sha256;
    const foreign = randomBytes(10_000);
    await harm.replace(key, foreign, { keepsEtag: true });
    expect(await edge.hash(key)).toBe(hashOf(foreign));
    const { about } = await scrub(app, { deep: true });
    expect(about(photo.id)).toEqual(['damaged thumbnail.jpg', 'restore thumbnail.jpg']);
    await untilDelivered(app);
    expect(await hashInStore(app, key)).toBe(sha256);
    expect(await edge.hash(key)).toBe(sha256);
  });

  test('and told caches what is not so: it is written again with its labels', async () => {
    const photo = await readyPhoto(app);
    const key = objectKey(photo.key('large', 'webp'));
    const before = await hashInStore(app, key);
    await app.storage.uploadFile(await bytesOf(key), {
      key,
      contentType: 'text/html',
      cacheControl: 'no-store',
    });
    const { about } = await scrub(app, { deep: false });
    expect(about(photo.id)).toEqual(['mislabelled large.webp', 'relabel large.webp']);
    expect(await app.storage.fileInfo(key)).toMatchObject({
      contentType: 'image/webp',
      cacheControl: 'public, max-age=31536000, immutable',
    });
    expect(await hashInStore(app, key)).toBe(before);
  });
});
