import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type EdgeServer, startEdge } from './edge-server.ts';

const KEY = 'items/original/bike-1/019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11-3f9a1c2b4d5e.jpg';
const LARGE = KEY.replace('original', 'large');
const autoOf = (key: string) => key.replace('.jpg', '.auto');

let server: EdgeServer;
let served: Set<string>;
let asked: string[];
beforeEach(async () => {
  served = new Set([KEY, LARGE]);
  asked = [];
  const mayServe = async (key: string) => {
    asked.push(key);
    return served.has(key);
  };
  server = await startEdge({ mayServe });
  for (const key of [KEY, LARGE]) await server.put(key, randomBytes(100_000));
});
afterEach(() => server.close());

test.each([KEY, LARGE])(
  'the rows are asked once of what memory has not, and never of what it has (%s)',
  async (key) => {
    for (const path of [key, autoOf(key), key, `${key}?version=1`])
      expect((await server.get(`/cdn/${path}`)).status).toBe(200);
    expect(asked).toEqual([key]);
    expect(server.reads).toEqual([key]);
  },
);

test.each([KEY, LARGE])(
  'what the rows no longer let be read is not found, though it lies there: nothing is read for it (%s)',
  async (key) => {
    await server.get(`/cdn/${key}`);
    served.clear();
    await server.edge.invalidate([key, autoOf(key)]);
    server.reads.length = 0;
    for (const path of [key, autoOf(key), `${key}?version=1`])
      expect((await server.get(`/cdn/${path}`)).status, path).toBe(404);
    expect(server.reads).toEqual([]);
  },
);

test('nothing is read from the store when the rows cannot be asked; memory serves on', async () => {
  let isThere = true;
  await server.close();
  server = await startEdge({
    mayServe: () => (isThere ? Promise.resolve(true) : Promise.reject(new Error('no database'))),
  });
  for (const key of [KEY, LARGE]) await server.put(key, randomBytes(1000));
  expect((await server.get(`/cdn/${LARGE}`)).status).toBe(200);
  isThere = false;
  expect((await server.get(`/cdn/${LARGE}`)).status).toBe(200);
  expect((await server.get(`/cdn/${KEY}`)).status).toBe(503);
});
