import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createFilesystemObjectStore,
  type FilesystemObjectStore,
  verifyGetUrl,
  verifyPostForm,
} from '#src/adapters/object-store/filesystem.ts';
import { objectKey } from '#src/domain/keys.ts';
import { keys, outcome, PLAIN, read } from './object-store/support.ts';

const WRITER = new URL('./object-store/writer.ts', import.meta.url).pathname;
const DAY_MS = 24 * 60 * 60 * 1000;
const signingKey = new Uint8Array(32).fill(7);

describe('the file-system object store', () => {
  let root: string;
  let now: Date;
  const clock = { now: () => now };
  const open = (changes: { root?: string; fsync?: boolean } = {}): Promise<FilesystemObjectStore> =>
    createFilesystemObjectStore({
      root,
      publicUrl: 'http://store.test',
      signingKey,
      clock,
      fsync: false,
      ...changes,
    });

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'object-store-'));
    now = new Date();
  });
  afterEach(() => rm(root, { recursive: true }));

  test('a writer killed at any moment leaves whole objects only, and what it left is swept', async () => {
    let whole = 0;
    let leftovers = 0;
    const store = await open();
    for (const lines of [3, 10, 17, 24, 40]) {
      await killedAfter(lines, root);
      for (const key of await keys(store, '')) {
        const { metadata } = await store.head(objectKey(key));
        const bytes = await read(store, objectKey(key));
        expect(createHash('sha256').update(bytes).digest('hex')).toBe(metadata['sha256']);
        whole += 1;
      }
      leftovers += await store.sweepIncomplete(0);
      expect(await readdir(join(root, '#tmp'))).toEqual([]);
    }
    expect(whole).toBeGreaterThan(20);
    expect(leftovers).toBeGreaterThan(0);
  });

  test('a full disk is STORAGE_FULL, keeps the old object and leaves no temporary file', async ({ skip }) => {
    const disk = join(root, 'disk');
    await mkdir(disk);
    if (!mountedSmallDisk(disk)) return skip('needs Linux and the right to mount a tmpfs');
    try {
      const store = await open({ root: join(disk, 'store') });
      await store.put(objectKey('kept'), randomBytes(2_200_000), PLAIN);
      const large = Array.from({ length: 12 }, () => randomBytes(1_000_000));
      const full = [
        store.put(objectKey('a/buffer'), Buffer.concat(large), PLAIN),
        store.put(objectKey('kept'), Readable.from(large, { objectMode: false }), PLAIN),
      ];
      expect(await Promise.all(full.map(outcome))).toEqual(['STORAGE_FULL', 'STORAGE_FULL']);
      expect(await readdir(join(disk, 'store', '#tmp'))).toEqual([]);
      expect((await read(store, objectKey('kept'))).length).toBe(2_200_000);
      await store.copy(objectKey('kept'), objectKey('copy/1'));
      expect(await outcome(store.copy(objectKey('kept'), objectKey('copy/2')))).toBe(null);
      expect(await outcome(store.copy(objectKey('kept'), objectKey('copy/3')))).toBe('STORAGE_FULL');
      expect(await readdir(join(disk, 'store', '#tmp'))).toEqual([]);
      await store.delete(objectKey('copy/1'));
      await store.put(objectKey('fits'), randomBytes(1_000_000), PLAIN);
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  test('what is hidden is kept aside for thirty days, or until its key is deleted', async () => {
    const store = await open();
    const [one, other] = [objectKey('items/one'), objectKey('items/other')];
    const aside = async () =>
      (await readdir(join(root, '#aside'), { recursive: true })).filter((name) => /\d-/.test(name));
    for (const key of [one, one, other]) {
      await store.put(key, randomBytes(1000), PLAIN);
      await store.hide(key);
    }
    expect(await keys(store, '')).toEqual([]);
    expect(await aside()).toHaveLength(3);
    await store.delete(one);
    expect(await aside()).toHaveLength(1);
    now = new Date(now.getTime() + 29 * DAY_MS);
    await store.sweepIncomplete(0);
    expect(await aside()).toHaveLength(1);
    now = new Date(now.getTime() + 2 * DAY_MS);
    await store.sweepIncomplete(0);
    expect(await readdir(join(root, '#aside'))).toEqual([]);
  });

  test('the sweep leaves files that are being written', async () => {
    const store = await open();
    const [young, old] = ['young', 'old'].map((name) => join(root, '#tmp', name));
    for (const path of [young, old]) await writeFile(path ?? '', 'x');
    const hourAgo = new Date(Date.now() - 3_600_000);
    await utimes(old ?? '', hourAgo, hourAgo);
    expect(await store.sweepIncomplete(60_000)).toBe(1);
    expect(await readdir(join(root, '#tmp'))).toEqual(['young']);
  });

  test('flushed writes, creates, copies and deletes do what unflushed ones do', async () => {
    const store = await open({ fsync: true });
    await store.put(objectKey('a/b/c/1'), Buffer.from('one'), PLAIN);
    await store.put(objectKey('a/b/c/2'), Buffer.from('two'), { ...PLAIN, ifNoneMatch: true });
    await store.copy(objectKey('a/b/c/1'), objectKey('d/e/3'));
    await store.delete(objectKey('a/b/c/1'));
    expect(await keys(store, '')).toEqual(['a/b/c/2', 'd/e/3']);
    await store.delete(objectKey('a/b/c/2'));
    await store.delete(objectKey('d/e/3'));
    expect((await readdir(root)).toSorted()).toEqual(['#restored', '#tmp']);
  });

  test('two stores on one folder see each other at once', async () => {
    const [one, two] = [await open(), await open()];
    await one.put(objectKey('a'), Buffer.from('shared'), PLAIN);
    expect((await read(two, objectKey('a'))).toString()).toBe('shared');
    await two.delete(objectKey('a'));
    expect(await outcome(one.head(objectKey('a')))).toBe('NOT_FOUND');
  });

  test('metadata longer than the first read is read whole', async () => {
    const store = await open();
    const metadata = { long: 'ü'.repeat(5_000) };
    await store.put(objectKey('long'), randomBytes(100_000), { ...PLAIN, metadata });
    expect((await store.head(objectKey('long'))).metadata).toEqual(metadata);
  });

  test('a file cut short or changed is reported damaged, and other files are not objects', async () => {
    const store = await open();
    for (const key of ['cut', 'changed', 'whole', 'empty'])
      await store.put(objectKey(key), randomBytes(100_000), PLAIN);
    await truncate(join(root, 'cut'), 50_000);
    await truncate(join(root, 'empty'), 0);
    await writeFile(join(root, 'changed'), 'more', { flag: 'a' });
    await writeFile(join(root, '.DS_Store'), 'x');
    await writeFile(join(root, 'foreign.txt'), 'x');
    for (const key of ['cut', 'changed', 'empty'])
      expect(await outcome(store.get(objectKey(key)))).toBe('OBJECT_DAMAGED');
    expect(await keys(store, '')).toEqual(['whole']);
  });

  test('a restored object is archived again when its days are over, and its note is swept', async () => {
    const store = await open();
    const key = objectKey('cold');
    await store.put(key, Buffer.from('cold'), { ...PLAIN, storageClass: 'GLACIER' });
    expect(await outcome(store.restore(key, 0))).toBe('INVALID_REQUEST');
    await store.restore(key, 2);
    now = new Date(now.getTime() + 2 * DAY_MS - 1);
    expect((await read(store, key)).toString()).toBe('cold');
    now = new Date(now.getTime() + 1);
    expect(await outcome(store.get(key))).toBe('OBJECT_ARCHIVED');
    expect(await readdir(join(root, '#restored'))).toHaveLength(1);
    await store.sweepIncomplete(60_000);
    expect(await readdir(join(root, '#restored'))).toEqual([]);
  });

  test('a restore is of one content: what replaces it is archived', async () => {
    const store = await open();
    const key = objectKey('cold');
    await store.put(key, Buffer.from('old'), { ...PLAIN, storageClass: 'GLACIER' });
    await store.restore(key, 1);
    await store.put(key, Buffer.from('new'), { ...PLAIN, storageClass: 'GLACIER' });
    expect(await outcome(store.get(key))).toBe('OBJECT_ARCHIVED');
  });

  test('a signed URL and a signed form end when they say', async () => {
    const store = await open();
    const signer = { signingKey, clock };
    const url = new URL(await store.signGetUrl(objectKey('a/b.jpg'), 60));
    const query = {
      key: 'a/b.jpg',
      expires: url.searchParams.get('expires') ?? '',
      signature: url.searchParams.get('signature') ?? '',
    };
    const form = { contentType: 'image/jpeg', maxBytes: 10, expiresInSeconds: 60 };
    const { fields } = await store.signPostForm(objectKey('a/b.jpg'), form);
    expect(`${url.origin}${url.pathname}`).toBe('http://store.test/store/a/b.jpg');
    now = new Date(now.getTime() + 58_000);
    expect(verifyGetUrl(query, signer)).toBe('a/b.jpg');
    expect(verifyPostForm(fields, signer)).toMatchObject({
      key: 'a/b.jpg',
      contentType: 'image/jpeg',
      maxBytes: 10,
    });
    now = new Date(now.getTime() + 2_000);
    expect(() => verifyGetUrl(query, signer)).toThrow('The link has expired.');
    expect(() => verifyPostForm(fields, signer)).toThrow('The upload form has expired.');
  });

  test('a signature of another key, or of the other kind, is refused', async () => {
    const store = await open();
    const { fields } = await store.signPostForm(objectKey('a'), {
      contentType: 'a/b',
      maxBytes: 1,
      expiresInSeconds: 60,
    });
    const other = { signingKey: new Uint8Array(32).fill(8), clock };
    expect(() => verifyPostForm(fields, other)).toThrow('The upload form is not valid.');
    const asUrl = { key: 'a', expires: '99999999999', signature: fields['signature'] ?? '' };
    expect(() => verifyGetUrl(asUrl, { signingKey, clock })).toThrow('The link is not valid.');
  });

  test('a short signing key is refused at the start', async () => {
    const start = createFilesystemObjectStore({
      root,
      publicUrl: 'http://store.test',
      signingKey: new Uint8Array(31),
    });
    expect(await outcome(start)).toBe('INVALID_CONFIGURATION');
  });

  test('a root that is a file, or is lost, is STORAGE_UNAVAILABLE', async () => {
    await writeFile(join(root, 'file'), '');
    expect(await outcome(open({ root: join(root, 'file') }))).toBe('STORAGE_UNAVAILABLE');
    const store = await open({ root: join(root, 'lost') });
    await rm(join(root, 'lost'), { recursive: true });
    const calls = [store.ping(), store.put(objectKey('a'), Buffer.from('x'), PLAIN)];
    expect(await Promise.all(calls.map(outcome))).toEqual(['STORAGE_UNAVAILABLE', 'STORAGE_UNAVAILABLE']);
    expect(await outcome(store.head(objectKey('a')))).toBe('NOT_FOUND');
  });
});

/** Runs the writer until it has printed `lines` lines, then kills it without a warning. */
async function killedAfter(lines: number, root: string): Promise<void> {
  const writer = spawn(process.execPath, [WRITER, root], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(writer, 'exit');
  let seen = 0;
  for await (const _ of createInterface({ input: writer.stdout })) {
    seen += 1;
    if (seen === lines) writer.kill('SIGKILL');
  }
  await ended;
  expect(writer.signalCode).toBe('SIGKILL');
}

function mountedSmallDisk(path: string): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
