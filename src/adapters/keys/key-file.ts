import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { StorageError } from '#src/domain/errors.ts';

export interface KeyFile {
  /** The key to wrap with: the last one in the file. */
  readonly current: { readonly id: string; readonly key: Buffer };
  /** All keys by id, so that older wraps still open. */
  readonly keys: ReadonlyMap<string, Buffer>;
}

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
  const draft = `${file}.${randomUUID()}.tmp`;
  const key = randomBytes(KEY_BYTES);
  const content = {
    version: 1,
    keys: [{ id: randomUUID(), key: key.toString('base64'), createdAt: new Date() }],
  };
  try {
    await mkdir(folder, { recursive: true });
    {
      await using handle = await open(draft, 'wx', 0o600);
      await handle.writeFile(`${JSON.stringify(content, null, 2)}\n`);
      await handle.sync();
    }
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

/** So that the name outlives a power cut too. Windows cannot open a folder. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  await using handle = await open(folder, 'r');
  await handle.sync();
}

function parse(file: string, text: string): KeyFile {
  try {
    const { keys } = fileContent.parse(JSON.parse(text));
    const decoded = keys.map(({ id, key }) => ({ id, key: Buffer.from(key, 'base64') }));
    const current = decoded.at(-1);
    if (current === undefined || decoded.some(({ key }) => key.byteLength !== KEY_BYTES))
      throw new Error('a key has another length');
    return { current, keys: new Map(decoded.map(({ id, key }) => [id, key])) };
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
