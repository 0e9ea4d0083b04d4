import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type EdgeServer, startEdge } from './edge-server.ts';

const KEY = 'items/original/bike-1/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e.jpg';
const AUTO = KEY.replace('.jpg', '.auto');

let server: EdgeServer;
let published: Set<string>;
let asked: string[];
beforeEach(async () => {
  published = new Set([KEY]);
  asked = [];
  const isPublished = async (key: string) => {
    asked.push(key);
    return published.has(key);
  };
  server = await startEdge({ isPublished });
  await server.put(KEY, randomBytes(100_000));
});
afterEach(() => server.close());

test('an original is served while it is published, once from the store and then from memory', async () => {
  for (const path of [KEY, AUTO, KEY]) expect((await server.get(`/cdn/${path}`)).status).toBe(200);
  expect(asked).toEqual([KEY]);
  expect(server.reads).toEqual([KEY]);
});

test('an original that is published no more is not found, though it lies there: nothing is read for it', async () => {
  await server.get(`/cdn/${KEY}`);
  published.clear();
  await server.edge.invalidate([KEY, AUTO]);
  server.reads.length = 0;
  for (const path of [KEY, AUTO, `${KEY}?version=1`])
    expect((await server.get(`/cdn/${path}`)).status, path).toBe(404);
  expect(server.reads).toEqual([]);
});

test('rows are asked of originals alone', async () => {
  const large = KEY.replace('original', 'large');
  await server.put(large, randomBytes(1000));
  expect((await server.get(`/cdn/${large}`)).status).toBe(200);
  expect(asked).toEqual([]);
});

test('an original is not served when the rows cannot be asked', async () => {
  await server.close();
  server = await startEdge({ isPublished: () => Promise.reject(new Error('no database')) });
  await server.put(KEY, randomBytes(1000));
  expect((await server.get(`/cdn/${KEY}`)).status).toBe(503);
});
