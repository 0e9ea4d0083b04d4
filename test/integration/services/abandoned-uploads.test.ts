import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createFilesystemObjectStore } from '#src/adapters/object-store/filesystem.ts';
import { abortAbandonedUploads } from '#src/services/lifecycle/abandoned.ts';

const HOUR_MS = 3_600_000;

test('what an upload writes is left for a day after its last byte, and gone after it', async () => {
  const root = await mkdtemp(join(tmpdir(), 'localex-abandoned-'));
  const store = await createFilesystemObjectStore({
    root,
    publicUrl: 'http://store.test',
    signingKey: new Uint8Array(32).fill(7),
    fsync: false,
  });
  for (const hours of [0, 2, 23, 25]) {
    const path = join(root, '#tmp', `${hours} hours`);
    await writeFile(path, 'x');
    const at = new Date(Date.now() - hours * HOUR_MS);
    await utimes(path, at, at);
  }
  expect(await abortAbandonedUploads(store, true)).toBe(1);
  expect(await abortAbandonedUploads(store)).toBe(1);
  expect((await readdir(join(root, '#tmp'))).toSorted()).toEqual(['0 hours', '2 hours', '23 hours']);
  await store.close();
  await rm(root, { recursive: true });
});
