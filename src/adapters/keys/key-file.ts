import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { StorageError } from '#src/domain/errors.ts';
import { withLockFile } from './lock-file.ts';

export interface KeyInFile {
  readonly id: string;
  readonly key: Buffer;
  readonly createdAt: Date;
}

/** Keys in the order in which they were made; the last one wraps, older ones only unwrap. */
export type KeyFile = readonly [...KeyInFile[], KeyInFile];

const KEY_BYTES = 32;
const OTHERS = 0o077;

const fileContent = z.object({
  version: z.literal(1),
  keys: z.array(z.object({ id: z.uuid(), key: z.base64().length(44), createdAt: z.iso.datetime() })).min(1),
});

/**
 * Reads the key file, first making one with a new random key when there is none. Of several processes that make it
 * at once, one wins and all read the same; whatever is killed, the file is whole or absent.
 *
 * @throws StorageError INVALID_CONFIGURATION when others may read it, or it is missing (without `create`), unreadable
 *   or damaged. A damaged file is never replaced: what it wrapped would be lost.
 */
export async function openKeyFile(file: string, options = { create: true }): Promise<KeyFile> {
  const text = await read(file);
  if (text !== null) return parse(file, text);
  if (!options.create) throw unusable(file, 'is missing');
  await create(file);
  return parse(file, (await read(file)) ?? '');
}

/** Changes whenever the file is written: to be compared only. */
export async function keyFileMark(file: string): Promise<string> {
  try {
    const { ino, mtimeMs, size } = await stat(file);
    return `${ino} ${mtimeMs} ${size}`;
  } catch (error) {
    throw unusable(file, isSystemError(error, 'ENOENT') ? 'is missing' : 'cannot be read', error);
  }
}

/** Adds a new random key, which wraps from then on. */
export function addKey(file: string): Promise<KeyFile> {
  return change(file, (keys) => [...keys, newKey()]);
}

/** Takes a key out for ever; one that is not there is a success. The last one stays: CONFLICT. */
export function removeKey(file: string, id: string): Promise<KeyFile> {
  return change(file, (keys) => {
    if (keys.at(-1)?.id === id)
      throw new StorageError('CONFLICT', 'The current wrapping key cannot be destroyed.');
    return keys.filter((key) => key.id !== id);
  });
}

/** One change at a time, seen whole or not at all: a key that another process has just added is never lost. */
async function change(file: string, to: (keys: KeyFile) => readonly KeyInFile[]): Promise<KeyFile> {
  return withLockFile(`${file}.lock`, async () => {
    const changed = to(await openKeyFile(file, { create: false }));
    const draft = await writeDraft(file, changed);
    try {
      await rename(draft, file);
    } catch (error) {
      await unlink(draft).catch(() => undefined);
      throw unusable(file, 'cannot be changed', error);
    }
    await flushFolder(path.dirname(file));
    return openKeyFile(file, { create: false });
  });
}

async function read(file: string): Promise<string | null> {
  try {
    await using handle = await open(file, 'r');
    // Windows has no such bits: there the folder's access list guards it.
    if (process.platform !== 'win32' && ((await handle.stat()).mode & OTHERS) !== 0)
      throw unusable(file, 'may be read by other users; run chmod 600 on it');
    return await handle.readFile('utf8');
  } catch (error) {
    if (error instanceof StorageError) throw error;
    if (isSystemError(error, 'ENOENT')) return null;
    throw unusable(file, 'cannot be read', error);
  }
}

/** Written apart, flushed, then linked: `link` fails where a file is, so nothing is ever overwritten. */
async function create(file: string): Promise<void> {
  const folder = path.dirname(file);
  try {
    await mkdir(folder, { recursive: true });
    const draft = await writeDraft(file, [newKey()]);
    try {
      await link(draft, file);
    } catch (error) {
      if (!isSystemError(error, 'EEXIST')) throw error;
    } finally {
      await unlink(draft);
    }
    await flushFolder(folder);
  } catch (error) {
    throw unusable(file, 'cannot be made', error);
  }
}

async function writeDraft(file: string, keys: readonly KeyInFile[]): Promise<string> {
  const draft = `${file}.${randomUUID()}.tmp`;
  const content = {
    version: 1,
    keys: keys.map(({ id, key, createdAt }) => ({ id, key: key.toString('base64'), createdAt })),
  };
  await using handle = await open(draft, 'wx', 0o600);
  await handle.writeFile(`${JSON.stringify(content, null, 2)}\n`);
  await handle.sync();
  return draft;
}

function newKey(): KeyInFile {
  return { id: randomUUID(), key: randomBytes(KEY_BYTES), createdAt: new Date() };
}

/** So that the name outlives a power cut too. Windows cannot open a folder. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  await using handle = await open(folder, 'r');
  await handle.sync();
}

function parse(file: string, text: string): KeyFile {
  try {
    const { keys } = fileContent.parse(JSON.parse(text));
    const decoded = keys.map(({ id, key, createdAt }) => ({
      id,
      key: Buffer.from(key, 'base64'),
      createdAt: new Date(createdAt),
    }));
    const current = decoded.at(-1);
    if (current === undefined || decoded.some(({ key }) => key.byteLength !== KEY_BYTES))
      throw new Error('a key has another length');
    return [...decoded.slice(0, -1), current];
  } catch {
    // No cause: the parser's messages quote the content.
    throw unusable(file, 'is damaged; restore it from a backup');
  }
}

function unusable(file: string, reason: string, cause?: unknown): StorageError {
  return new StorageError('INVALID_CONFIGURATION', `The key file ${file} ${reason}.`, { cause });
}

function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
