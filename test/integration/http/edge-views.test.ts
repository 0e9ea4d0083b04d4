import { afterEach, describe, expect, test } from 'vitest';
import { createViewLog, type ViewLogOptions } from '#src/adapters/cdn/edge/view-log.ts';
import { objectKey } from '#src/domain/keys.ts';
import { recordingLog } from '#test/support/recording-log.ts';
import { type EdgeServer, startEdge } from './edge-server.ts';

const id = (n: number) => `019a8c6e-6c1e-7b57-9d0c-${String(n).padStart(12, '0')}`;
const keyOf = (n: number, variant = 'large', extension = 'jpg') =>
  `items/${variant}/bike-42/${id(n)}-3f9a1c2b4d5e.${extension}`;

let edge: EdgeServer | null = null;
afterEach(async () => {
  await edge?.close();
  edge = null;
});

async function edgeWithViews(options: Partial<ViewLogOptions> = {}) {
  const written: string[][] = [];
  const log = recordingLog();
  const views = createViewLog({ write: async (ids) => void written.push([...ids]), log, ...options });
  edge = await startEdge({ views });
  return { edge, views, written, log };
}

describe('the edge tells which photos were looked at', () => {
  test('once a file, however many of its renditions and however often, in one batch', async () => {
    const { edge: server, views, written } = await edgeWithViews();
    for (const [n, variant] of [
      [1, 'large'],
      [1, 'thumbnail'],
      [2, 'large'],
    ] as const)
      await server.put(keyOf(n, variant), Buffer.from('photo'));
    for (let times = 0; times < 5; times += 1)
      for (const [n, variant] of [
        [1, 'large'],
        [1, 'thumbnail'],
        [2, 'large'],
      ] as const)
        expect((await server.get(`/cdn/${keyOf(n, variant)}`)).status).toBe(200);
    expect((await server.get(`/cdn/${keyOf(2).replace('jpg', 'auto')}`)).status).toBe(200);
    await views.flush();
    expect(written.map((batch) => batch.toSorted())).toEqual([[id(1), id(2)]]);
    await views.flush();
    expect(written).toHaveLength(1);
  });

  test('again in the next epoch', async () => {
    const { edge: server, views, written } = await edgeWithViews({ epochMs: 5 });
    await server.put(keyOf(1), Buffer.from('photo'));
    while (written.length < 3) {
      await server.get(`/cdn/${keyOf(1)}`);
      await views.flush();
    }
    expect(written).toEqual([[id(1)], [id(1)], [id(1)]]);
  });

  test('not of what is missing, private, or only asked for its header fields', async () => {
    const { edge: server, views, written } = await edgeWithViews();
    const view = `quarantine/view/${id(3)}-3f9a1c2b4d5e.jpg`;
    await server.put(view, Buffer.from('photo'));
    await server.put(keyOf(4), Buffer.from('photo'));
    expect((await server.get(`/cdn/${keyOf(5)}`)).status).toBe(404);
    const signed = server.edge.signedUrl(view, new Date(Date.now() + 60_000));
    expect((await server.get(new URL(signed).pathname + new URL(signed).search)).status).toBe(200);
    expect((await server.get(`/cdn/${keyOf(4)}`, {}, 'HEAD')).status).toBe(200);
    await views.flush();
    expect(written).toEqual([]);
  });

  test('with the same file twice in one batch only when writing failed, and never past its bound', async () => {
    let isDown = true;
    const written: string[][] = [];
    const {
      edge: server,
      views,
      log,
    } = await edgeWithViews({
      maxWaiting: 2,
      write: async (ids) => {
        if (isDown) throw new Error('the database is down');
        written.push([...ids]);
      },
    });
    for (const n of [1, 2, 3]) {
      await server.put(keyOf(n), Buffer.from('photo'));
      await server.get(`/cdn/${keyOf(n)}`);
    }
    await views.flush();
    expect(log.lines.some(({ message }) => message.includes('views could not be noted'))).toBe(true);
    isDown = false;
    await views.close();
    expect(written).toEqual([[id(1), id(2)]]);
  });

  test('and says of an archived original that it is archived', async () => {
    const { edge: server } = await edgeWithViews();
    const key = objectKey(keyOf(6, 'original'));
    await server.put(key, Buffer.from('photo'));
    await server.store.copy(key, key, { storageClass: 'GLACIER' });
    const answer = await server.get(`/cdn/${key}`);
    expect(answer.status).toBe(409);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ code: 'OBJECT_ARCHIVED' });
    expect(answer.headers['cache-control']).toBe('no-store');
  });
});
