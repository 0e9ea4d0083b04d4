import { randomUUID } from 'node:crypto';
import { type FileHandle, link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { StorageError } from '../../../domain/errors.ts';
import { errnoOf, throwIfAborted } from './failures.ts';

/** Bytes gathered before a write: five megabytes are then 10 calls into the thread pool and not 80. */
const BATCH_BYTES = 512 * 1024;
/** A folder can be pruned by a delete between its making and our rename; each try makes it again. */
const COMMIT_TRIES = 20;

export interface Durability {
  /** Whether a finished write survives the loss of power. */
  readonly fsync: boolean;
}

/** Gives `work` the path of a new temporary file, and removes what is there when it fails. */
export async function withTemporary<T>(folder: string, work: (path: string) => Promise<T>): Promise<T> {
  const path = join(folder, randomUUID());
  try {
    return await work(path);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** Writes the body and then what `trailer` makes of its length, in as few calls as fit. Resolves to the length. */
export async function writeBody(
  handle: FileHandle,
  body: Readable | Uint8Array,
  trailer: (bytes: number) => Buffer,
  signal: AbortSignal | undefined,
): Promise<number> {
  if (body instanceof Uint8Array) {
    await writeAll(handle, [body, trailer(body.length)], 0);
    return body.length;
  }
  if (signal !== undefined) addAbortSignal(signal, body);
  let written = 0;
  let batch: Uint8Array[] = [];
  let batched = 0;
  let inFlight = Promise.resolve();
  const flush = async () => {
    await inFlight;
    inFlight = writeAll(handle, batch, written);
    // Awaited by the next flush; a source that waits for ever must not make it an unhandled rejection.
    inFlight.catch(() => {});
    written += batched;
    batch = [];
    batched = 0;
  };
  try {
    for await (const chunk of body) {
      const bytes = asBytes(chunk);
      batch.push(bytes);
      batched += bytes.length;
      if (batched >= BATCH_BYTES) await flush();
    }
    const total = written + batched;
    batch.push(trailer(total));
    await flush();
    await inFlight;
    return total;
  } catch (error) {
    await inFlight.catch(() => {});
    throw error;
  }
}

function asBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === 'string') return Buffer.from(chunk);
  throw new StorageError('INVALID_REQUEST', 'A body is a stream of bytes.');
}

/** `writev` may write less than it was given, as on a disk that is filling up. */
export async function writeAll(
  handle: FileHandle,
  buffers: readonly Uint8Array[],
  position: number,
): Promise<void> {
  let rest = buffers.filter((buffer) => buffer.length > 0);
  let at = position;
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest, at);
    at += bytesWritten;
    rest = without(rest, bytesWritten);
  }
}

function without(buffers: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  return buffers.flatMap((buffer) => {
    const skipped = Math.min(skip, buffer.length);
    skip -= skipped;
    return skipped === buffer.length ? [] : [buffer.subarray(skipped)];
  });
}

/**
 * Gives a finished temporary file its name: by rename, or for `exclusive` by link, of which exactly one of many
 * succeeds. Errors: ALREADY_EXISTS.
 */
export async function commit(
  temporary: string,
  path: string,
  options: Durability & { exclusive: boolean; signal: AbortSignal | undefined },
): Promise<void> {
  const created: string[] = [];
  for (let tries = 1; ; tries += 1) {
    throwIfAborted(options.signal);
    try {
      await (options.exclusive ? link(temporary, path) : rename(temporary, path));
      break;
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') throw new StorageError('ALREADY_EXISTS', undefined, { cause: error });
      if (errnoOf(error) !== 'ENOENT' || tries === COMMIT_TRIES) throw error;
    }
    const first = await makeFolder(dirname(path));
    if (first !== undefined) created.push(first);
  }
  if (options.exclusive) await rm(temporary, { force: true });
  if (options.fsync) await syncFolders(dirname(path), created);
}

async function makeFolder(path: string): Promise<string | undefined> {
  try {
    return await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    // A parent was pruned while its child was being made: the next try makes both. Node says ENOTDIR when it was pruned
    // between the refusal to make it and the look at what is there.
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** A new name lasts when its folder is flushed, and a new folder when its parent is. */
async function syncFolders(folder: string, created: readonly string[]): Promise<void> {
  const parents = created.map((path) => dirname(path));
  const top = parents.reduce((highest, path) => (path.length < highest.length ? path : highest), folder);
  for (let at = folder; at.length >= top.length && at !== dirname(at); at = dirname(at)) await syncFolder(at);
}

/** Flushes a folder's entries. Windows cannot and need not: NTFS journals them. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    // Pruned since, by a delete: then what was to be flushed is gone too.
    if (errnoOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
