import { afterEach, describe, expect, test } from 'vitest';
import { createUsageLog, type UsageLogOptions } from '#src/adapters/cdn/edge/usage-log.ts';
import { objectKey } from '#src/domain/keys.ts';
import type { Tallied } from '#src/domain/usage-tally.ts';
import { systemClock } from '#src/ports/clock.ts';
import { recordingLog } from '#test/support/recording-log.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const id = (n: number) => `019a8c6e-6c1e-7b57-9d0c-${String(n).padStart(12, '0')}`;
const keyOf = (n: number, variant = 'large', extension = 'jpg') =>
  `items/${variant}/bike-42/${id(n)}-3f9a1c2b4d5e.${extension}`;

const BROWSER = {
  'User-Agent':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36',
};
const CRAWLER = { 'User-Agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' };

let edge: EdgeServer | null = null;
afterEach(async () => {
  await edge?.close();
  edge = null;
});

async function edgeWithUsage(options: Partial<UsageLogOptions> = {}) {
  const written: Tallied[] = [];
  const log = recordingLog();
  const usage = createUsageLog({
    write: async (tallied) => void written.push(tallied),
    clock: systemClock,
    log,
    ...options,
  });
  edge = await startEdge({ usage });
  return { edge, usage, written, log };
}

const viewsIn = ({ photos }: Tallied) => photos.map(({ fileId, views }) => [fileId, views] as const);

describe('the edge tells what was looked at', () => {
  test('every view of a photo, whichever rendition, in one batch a flush; robots apart', async () => {
    const { edge: server, usage, written } = await edgeWithUsage();
    for (const key of [keyOf(1), keyOf(1, 'thumbnail'), keyOf(2)])
      await server.put(key, Buffer.from('photo'));
    for (let times = 0; times < 3; times += 1)
      for (const key of [keyOf(1), keyOf(1, 'thumbnail'), keyOf(2)])
        expect((await server.get(`/cdn/${key}`, BROWSER)).status).toBe(200);
    expect((await server.get(`/cdn/${keyOf(2).replace('jpg', 'auto')}`, BROWSER)).status).toBe(200);
    for (let times = 0; times < 2; times += 1) await server.get(`/cdn/${keyOf(2)}`, CRAWLER);
    await usage.flush();
    expect(written).toHaveLength(1);
    const [tallied] = written;
    expect(tallied?.photos).toMatchObject([
      { fileId: id(1), views: 6, robotViews: 0, bytes: 30 },
      { fileId: id(2), views: 4, robotViews: 2, bytes: 30 },
    ]);
    expect(tallied?.deliveries).toMatchObject([
      { requests: 12, robotRequests: 2, hits: 9, misses: 3, errors: 0, bytes: 60 },
    ]);
    await usage.flush();
    expect(written).toHaveLength(1);
  });

  test('a copy that the viewer has counts, of parts the first, and what only robots saw was seen by nobody', async () => {
    const { edge: server, usage, written } = await edgeWithUsage();
    await server.put(keyOf(1), Buffer.from('photo'));
    await server.put(keyOf(2), Buffer.from('photo'));
    const etag = (await server.get(`/cdn/${keyOf(1)}`)).headers.etag ?? '';
    expect((await server.get(`/cdn/${keyOf(1)}`, { 'If-None-Match': etag })).status).toBe(304);
    for (const Range of ['bytes=0-1', 'bytes=2-3', 'bytes=4-4'])
      expect((await server.get(`/cdn/${keyOf(1)}`, { Range })).status).toBe(206);
    await server.get(`/cdn/${keyOf(2)}`, CRAWLER);
    await usage.flush();
    expect(written[0]?.photos).toMatchObject([
      { views: 3, bytes: 7 },
      { views: 0, robotViews: 1, lastViewedAt: null },
    ]);
  });

  test('no view of what is missing, private, or only asked for its header fields', async () => {
    const { edge: server, usage, written } = await edgeWithUsage();
    const view = `quarantine/view/${id(3)}-3f9a1c2b4d5e.jpg`;
    await server.put(view, Buffer.from('photo'));
    await server.put(keyOf(4), Buffer.from('photo'));
    expect((await server.get(`/cdn/${keyOf(5)}`)).status).toBe(404);
    const signed = server.edge.signedUrl(view, new Date(Date.now() + 60_000));
    expect((await server.get(new URL(signed).pathname + new URL(signed).search)).status).toBe(200);
    expect((await server.get(`/cdn/${keyOf(4)}`, {}, 'HEAD')).status).toBe(200);
    expect((await server.get(`/cdn/${keyOf(4)}`, { Range: 'bytes=99-' })).status).toBe(416);
    await usage.flush();
    expect(written[0]?.photos).toEqual([]);
    expect(written[0]?.deliveries).toMatchObject([{ requests: 4, errors: 2, bytes: 5 }]);
  });

  test('again when writing failed, with nothing counted twice, and never past its bound', async () => {
    let isDown = true;
    const written: Tallied[] = [];
    const {
      edge: server,
      usage,
      log,
    } = await edgeWithUsage({
      maxWaiting: 2,
      write: async (tallied) => {
        if (isDown) throw new Error('the database is down');
        written.push(tallied);
      },
    });
    for (const n of [1, 2, 3, 4, 5]) {
      await server.put(keyOf(n), Buffer.from('photo'));
      await server.get(`/cdn/${keyOf(n)}`);
      if (n === 2) await usage.flush();
    }
    await usage.flush();
    expect(log.lines.some(({ message }) => message.includes('usage could not be written'))).toBe(true);
    isDown = false;
    await usage.close();
    expect(written.map(viewsIn)).toEqual([
      [
        [id(1), 1],
        [id(2), 1],
      ],
      [
        [id(3), 1],
        [id(4), 1],
      ],
    ]);
    expect(written.map(({ deliveries }) => deliveries[0]?.requests)).toEqual([2, 3]);
  });

  test('and says of an archived original that it is archived', async () => {
    const { edge: server } = await edgeWithUsage();
    const key = objectKey(keyOf(6, 'original'));
    await server.put(key, Buffer.from('photo'));
    await server.store.copy(key, key, { storageClass: 'GLACIER' });
    const answer = await server.get(`/cdn/${key}`);
    expect(answer.status).toBe(409);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 'OBJECT_ARCHIVED' });
    expect(answer.headers['cache-control']).toBe('no-store');
  });
});
