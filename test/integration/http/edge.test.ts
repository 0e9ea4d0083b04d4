import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { objectKey } from '#src/domain/keys.ts';
import { Problem } from '#src/http/schemas.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const STEM = 'items/large/bike-1/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e';
const ORIGINAL = STEM.replace('large', 'original');
const VIEW = 'quarantine/view/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e.jpg';
const jpeg = randomBytes(100_000);
const webp = randomBytes(50_000);

let server: EdgeServer;
beforeEach(async () => {
  server = await startEdge();
  await server.put(`${STEM}.jpg`, jpeg);
  await server.put(`${STEM}.webp`, webp);
});
afterEach(() => server.close());

describe('the edge', () => {
  test('leaves every path outside /cdn/ alone', async () => {
    expect((await server.get('/v1/items')).status).toBe(418);
    expect((await server.get('/cdn')).status).toBe(418);
  });

  test('serves a public object whole, to be kept for ever, from the store and then from memory', async () => {
    for (const source of ['store', 'memory']) {
      const answer = await server.get(`/cdn/${STEM}.jpg`);
      expect(answer.status, source).toBe(200);
      expect(answer.body.equals(jpeg), source).toBe(true);
      expect(answer.headers, source).toMatchObject({
        'content-type': 'image/jpeg',
        'content-length': '100000',
        'cache-control': 'public, max-age=31536000, immutable',
        'accept-ranges': 'bytes',
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'cross-origin',
        etag: expect.stringMatching(/^"[^"]+"$/),
      });
    }
    expect(server.reads).toEqual([`${STEM}.jpg`]);
  });

  test('answers HEAD with the same fields and no body', async () => {
    const get = await server.get(`/cdn/${STEM}.jpg`);
    const head = await server.get(`/cdn/${STEM}.jpg`, {}, 'HEAD');
    expect(head.status).toBe(200);
    expect(head.body.length).toBe(0);
    expect(head.headers['content-length']).toBe('100000');
    expect(head.headers.etag).toBe(get.headers.etag);
  });

  test('says "not modified" to whoever has it', async () => {
    const { etag = '' } = (await server.get(`/cdn/${STEM}.jpg`)).headers;
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await server.get(`/cdn/${STEM}.jpg`, { 'if-none-match': tag });
      expect(answer.status, tag).toBe(304);
      expect(answer.body.length, tag).toBe(0);
      expect(answer.headers.etag, tag).toBe(etag);
    }
    expect((await server.get(`/cdn/${STEM}.jpg`, { 'if-none-match': '"other"' })).status).toBe(200);
  });

  test.each([
    ['bytes=0-99', 0, 99],
    ['bytes=500-', 500, 99_999],
    ['bytes=-10', 99_990, 99_999],
    ['bytes=99999-200000', 99_999, 99_999],
  ])('answers %s with that part', async (range, start, end) => {
    for (const source of ['store', 'memory']) {
      const answer = await server.get(`/cdn/${STEM}.jpg`, { range });
      expect(answer.status, source).toBe(206);
      expect(answer.headers['content-range'], source).toBe(`bytes ${start}-${end}/100000`);
      expect(answer.body.equals(jpeg.subarray(start, end + 1)), source).toBe(true);
    }
  });

  test.each(['bytes=0-1,5-6', 'bytes=9-3', 'bytes=-', 'lines=1-2', 'bytes=a-b'])(
    'sends the whole for the range %s, which it does not serve',
    async (range) => {
      expect((await server.get(`/cdn/${STEM}.jpg`, { range })).status).toBe(200);
    },
  );

  test.each(['bytes=100000-', 'bytes=-0'])('refuses %s as outside the object', async (range) => {
    const answer = await server.get(`/cdn/${STEM}.jpg`, { range });
    expect(answer.status).toBe(416);
    expect(answer.headers['content-range']).toBe('bytes */100000');
  });

  test('takes If-Range at its word: the part for the same entity, the whole for another', async () => {
    const { etag = '' } = (await server.get(`/cdn/${STEM}.jpg`)).headers;
    const ask = (ifRange: string) =>
      server.get(`/cdn/${STEM}.jpg`, { range: 'bytes=0-9', 'if-range': ifRange });
    expect((await ask(etag)).status).toBe(206);
    expect((await ask('"other"')).status).toBe(200);
  });

  test.each([
    ['image/avif,image/webp,*/*;q=0.8', 'image/webp'],
    ['image/webp;q=0.1', 'image/webp'],
    ['image/webp;q=0, */*', 'image/jpeg'],
    ['image/avif', 'image/jpeg'],
    ['*/*', 'image/jpeg'],
  ])('answers .auto for Accept: %s with %s', async (accept, type) => {
    for (const source of ['store', 'memory']) {
      const answer = await server.get(`/cdn/${STEM}.auto`, { accept });
      expect(answer.status, source).toBe(200);
      expect(answer.headers['content-type'], source).toBe(type);
      expect(answer.headers.vary, source).toBe('Accept');
      expect(answer.body.equals(type === 'image/webp' ? webp : jpeg), source).toBe(true);
    }
  });

  test('answers original.auto with the one original, whatever its format and the Accept header', async () => {
    await server.put(`${ORIGINAL}.png`, jpeg);
    for (const accept of ['image/webp', '*/*'])
      expect((await server.get(`/cdn/${ORIGINAL}.auto`, { accept })).headers['content-type']).toBe(
        'image/png',
      );
  });

  test('streams an object too large for memory, whole and in part', async () => {
    const large = randomBytes(3 * 1024 * 1024);
    await server.put(`${ORIGINAL}.jpg`, large);
    expect((await server.get(`/cdn/${ORIGINAL}.jpg`)).body.equals(large)).toBe(true);
    const part = await server.get(`/cdn/${ORIGINAL}.jpg`, { range: 'bytes=1000000-2999999' });
    expect(part.status).toBe(206);
    expect(part.body.equals(large.subarray(1_000_000, 3_000_000))).toBe(true);
  });

  test('reads the store once for a hundred askers at one time', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => server.get(`/cdn/${STEM}.jpg`)));
    expect(answers.every((answer) => answer.status === 200 && answer.body.equals(jpeg))).toBe(true);
    expect(server.reads).toEqual([`${STEM}.jpg`]);
  });

  test('keeps no "not found": an object is served as soon as it exists', async () => {
    const path = `/cdn/${STEM.replace('bike-1', 'bike-2')}.jpg`;
    const missing = await server.get(path);
    expect(missing.status).toBe(404);
    expect(missing.headers['cache-control']).toBe('no-store');
    await server.put(path.slice('/cdn/'.length), jpeg);
    expect((await server.get(path)).status).toBe(200);
  });

  test.each([`${STEM}.jpg`, 'items/large/bike-1/*'])('forgets a deleted object at once: %s', async (path) => {
    await server.get(`/cdn/${STEM}.jpg`);
    await server.store.delete(objectKey(`${STEM}.jpg`));
    await server.edge.invalidate([path]);
    expect((await server.get(`/cdn/${STEM}.jpg`)).status).toBe(404);
  });

  test('does not keep what it was reading when the purge came', async () => {
    let open = () => {};
    server.gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const early = server.get(`/cdn/${STEM}.jpg`);
    await expect.poll(() => server.reads.length).toBe(1);
    await server.edge.invalidate([`${STEM}.jpg`]);
    await server.store.delete(objectKey(`${STEM}.jpg`));
    open();
    await early;
    expect((await server.get(`/cdn/${STEM}.jpg`)).status).toBe(404);
  });

  test('forgets nothing when the purge comes before the deletion and somebody asks in between', async () => {
    await server.edge.invalidate([`${STEM}.jpg`]);
    expect((await server.get(`/cdn/${STEM}.jpg`)).status).toBe(200);
    await server.store.delete(objectKey(`${STEM}.jpg`));
    expect((await server.get(`/cdn/${STEM}.jpg`)).status).toBe(404);
  });

  test('stays inside its memory budget', async () => {
    await server.close();
    server = await startEdge({ hotCacheBytes: 300_000 });
    const keys = Array.from({ length: 6 }, (_, index) => `${STEM.replace('bike-1', `bike-${index}`)}.jpg`);
    for (const key of keys) await server.put(key, jpeg);
    for (const key of [...keys, ...keys]) expect((await server.get(`/cdn/${key}`)).status).toBe(200);
    expect(server.reads.length).toBe(12);
  });

  test.each([
    'temp/uploads/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11',
    'quarantine/raw/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11',
    'verification/documents/user-1/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11.enc',
    VIEW,
    'items/large/bike-1/notes.txt',
  ])('does not serve %s, although it is in the store', async (key) => {
    await server.put(key, jpeg, 'image/jpeg');
    expect((await server.get(`/cdn/${key}`)).status).toBe(404);
  });

  test('does not serve an object whose stored type is not the one of its extension', async () => {
    await server.put(`${ORIGINAL}.jpg`, Buffer.from('<script>'), 'text/html');
    for (const source of ['store', 'memory'])
      expect((await server.get(`/cdn/${ORIGINAL}.jpg`)).status, source).toBe(404);
  });

  test.each([
    ['%2e%2e/%2e%2e/etc/passwd', 404],
    ['../../etc/passwd', 404],
    ['items/large/../original/x.jpg', 404],
    ['items/large/bike-1/%00.jpg', 400],
    ['items/%E0%A4%A', 400],
    ['items/large/bike%252d1/x.jpg', 404],
    ['items\\large\\x.jpg', 404],
    ['//etc/passwd', 404],
    ['', 404],
    [`${STEM}.jpg/`, 404],
    [`${STEM}.svg`, 404],
  ])('answers the path %s with %i', async (path, status) => {
    const answer = await server.get(`/cdn/${path}`);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    const problem = Problem.strict().parse(JSON.parse(answer.body.toString()));
    expect(problem).toMatchObject({
      status,
      instance: `urn:request:${String(answer.headers['x-request-id'])}`,
    });
    expect(answer.body.toString()).not.toMatch(/localex-edge|ENOENT|node:/);
  });

  test('reads a percent-encoded user id as what it is', async () => {
    const key = 'profiles/original/a@b:c|d/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e.jpg';
    await server.put(key, jpeg);
    const { pathname } = new URL(server.edge.url(key));
    expect((await server.get(pathname)).status).toBe(200);
    expect((await server.get(`/cdn/${key.replace('@', '%40').replace('|', '%7C')}`)).status).toBe(200);
  });

  test('refuses other methods', async () => {
    const answer = await server.get(`/cdn/${STEM}.jpg`, {}, 'DELETE');
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('GET, HEAD');
  });
});

describe('a signed URL', () => {
  const inAMinute = () => new Date(Date.now() + 60_000);
  const pathOf = (url: string) => url.slice(url.indexOf('/cdn/'));
  beforeEach(() => server.put(VIEW, jpeg));

  test('opens a private view, for nobody else to keep', async () => {
    const answer = await server.get(pathOf(server.edge.signedUrl(VIEW, inAMinute())));
    expect(answer.status).toBe(200);
    expect(answer.body.equals(jpeg)).toBe(true);
    expect(answer.headers['cache-control']).toBe('private, no-store');
    expect((await server.get(`/cdn/${VIEW}`)).status).toBe(404);
  });

  test('of a public object is checked too', async () => {
    await server.get(`/cdn/${STEM}.jpg`);
    expect((await server.get(pathOf(server.edge.signedUrl(`${STEM}.jpg`, inAMinute())))).status).toBe(200);
    expect((await server.get(`/cdn/${STEM}.jpg?Expires=1&Signature=x`)).status).toBe(403);
  });
});

describe('the alias of a profile photo', () => {
  const key = (version: string) =>
    `profiles/thumbnail/user-1/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-${version}.jpg`;
  const alias = '/cdn/profiles/thumbnail/user-1/current';

  test('is the present one for a minute, by Accept, and another after a purge', async () => {
    await server.put(key('000000000001'), jpeg);
    await server.put(key('000000000001').replace('.jpg', '.webp'), webp);
    await server.put(key('000000000002'), webp);
    server.thumbnails.set('user-1', key('000000000001'));

    const first = await server.get(alias);
    expect(first.body.equals(jpeg)).toBe(true);
    expect(first.headers['cache-control']).toBe('public, max-age=60');
    expect(first.headers.vary).toBe('Accept');
    expect((await server.get(alias, { accept: 'image/webp' })).body.equals(webp)).toBe(true);
    expect((await server.get(alias, { 'if-none-match': first.headers.etag ?? '' })).status).toBe(304);

    server.thumbnails.set('user-1', key('000000000002'));
    await server.edge.invalidate(['profiles/thumbnail/user-1/current']);
    expect((await server.get(alias)).body.equals(webp)).toBe(true);
  });

  test('of a user without a photo is not found, and found once there is one', async () => {
    expect((await server.get(alias)).status).toBe(404);
    await server.put(key('000000000001'), jpeg);
    server.thumbnails.set('user-1', key('000000000001'));
    expect((await server.get(alias)).status).toBe(200);
  });
});
