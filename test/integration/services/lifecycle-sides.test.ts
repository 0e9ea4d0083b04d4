import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFilesystemObjectStore } from '#src/adapters/object-store/filesystem.ts';
import { insertFile } from '#src/db/files.ts';
import { announceObjects } from '#src/db/objects.ts';
import { readBothSides } from '#src/services/lifecycle/side-by-side.ts';
import { createStorageService, type StorageService } from '#src/services/storage.service.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';

const FILE = '019a8c6e-6c1e-7b57-9d0c-0000000000aa';
// In the order of their bytes: a capital letter before a small one, a slash after a hyphen.
const KEYS = ['B', 'a', 'a-b', 'a/b', 'a/c', 'aa', 'b', 'c/d', 'c/e', 'd'].map((name) => `items/${name}`);

let database: TestDatabase;
let storage: StorageService;
let root: string;
beforeAll(async () => {
  database = await createTestDatabase();
  root = await mkdtemp(join(tmpdir(), 'localex-sides-'));
  const store = await createFilesystemObjectStore({
    root,
    publicUrl: 'http://127.0.0.1',
    signingKey: Buffer.alloc(32, 7),
    fsync: false,
  });
  storage = createStorageService({ store });
  await insertFile(database.db, {
    id: FILE,
    kind: 'profile_photo',
    itemId: null,
    ownerId: 'seller-1',
    position: null,
    filename: 'a.jpg',
    claimedType: null,
    claimedBytes: null,
    claimedSha256: null,
    deadlineAt: new Date(),
  });
});
afterAll(async () => {
  await database.close();
  await rm(root, { recursive: true, force: true });
});

async function lay(stored: readonly string[], named: readonly string[]): Promise<void> {
  for (const key of KEYS) await storage.deleteFile(key);
  await database.db.deleteFrom('objects').execute();
  // On a file system "a" cannot be both a file and a folder; on S3 it can.
  for (const key of stored) await storage.uploadFile(Buffer.from('x'), { key, contentType: 'image/jpeg' });
  await announceObjects(database.db, FILE, named);
}

async function walk(limits: { objects: number; rows: number }) {
  const objects: string[] = [];
  const rows: string[] = [];
  let after: string | null = null;
  do {
    const page = await readBothSides(
      { db: database.db, storage },
      { prefix: 'items/', after },
      limits,
      new AbortController().signal,
    );
    const keys = [...page.objects, ...page.rows].map(({ key }) => key);
    expect(page.rows.length).toBeLessThanOrEqual(limits.rows);
    for (const key of keys) {
      expect(after === null || key > after).toBe(true);
      expect(page.next === null || key <= page.next).toBe(true);
    }
    objects.push(...page.objects.map(({ key }) => key));
    rows.push(...page.rows.map(({ key }) => key));
    after = page.next;
  } while (after !== null);
  return { objects, rows };
}

test('store and rows are read side by side: each key once on each side, in ranges that are whole', async () => {
  const filesOnly = KEYS.filter((key) => !KEYS.some((other) => other.startsWith(`${key}/`)));
  await fc.assert(
    fc.asyncProperty(
      fc.subarray(filesOnly),
      fc.subarray(KEYS),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 4 }),
      async (stored, named, objects, rows) => {
        await lay(stored, named);
        expect(await walk({ objects, rows })).toEqual({
          objects: stored.toSorted(),
          rows: named.toSorted(),
        });
      },
    ),
    { numRuns: 40 },
  );
});

test('a store that was emptied is read in pages of rows', async () => {
  await lay([], KEYS);
  expect(await walk({ objects: 1_000, rows: 3 })).toEqual({ objects: [], rows: KEYS.toSorted() });
});
