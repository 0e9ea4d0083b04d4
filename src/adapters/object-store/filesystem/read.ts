import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { StorageError } from '../../../domain/errors.ts';
import type { GetOptions, ObjectInfo } from '../../../ports/object-store.ts';
import { aborted, classify, damaged, errnoOf } from './failures.ts';
import { decodeTrailer, FOOTER_BYTES, trailerLength } from './trailer.ts';

/** An object held open: its bytes cannot change any more, whatever happens to its key. */
export interface OpenObject {
  readonly info: ObjectInfo;
  readonly handle: FileHandle;
  /** The whole file, when it was small enough to come with its trailer in one read. */
  readonly whole: Buffer | null;
}

/** Files up to this size are read in one go: one open, one stat, one read. */
const SMALL_FILE_BYTES = 256 * 1024;
/** Holds nearly every trailer, so that a second read is rare. */
const TAIL_BYTES = 1024;
/** Bytes a read of a large object. 256 KiB keeps a slow reader cheap and a fast one busy. */
const CHUNK_BYTES = 256 * 1024;

/** Opens an object; the caller closes the handle. Errors: NOT_FOUND, OBJECT_DAMAGED. */
export async function openObject(path: string): Promise<OpenObject> {
  const handle = await openFile(path);
  try {
    return { handle, ...(await readTrailer(handle, path, SMALL_FILE_BYTES)) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw new StorageError('NOT_FOUND', undefined, { cause: error });
    throw error;
  }
}

/** What a file says about itself. Errors: NOT_FOUND, OBJECT_DAMAGED. */
export async function readInfo(path: string): Promise<ObjectInfo> {
  const handle = await openFile(path);
  try {
    const { info } = await readTrailer(handle, path);
    return info;
  } finally {
    await handle.close();
  }
}

/** Reads the end of a file, with all before it when the file has at most `wholeUpTo` bytes. Errors: OBJECT_DAMAGED. */
export async function readTrailer(
  handle: FileHandle,
  path: string,
  wholeUpTo = TAIL_BYTES,
): Promise<Omit<OpenObject, 'handle'>> {
  const { size } = await handle.stat();
  const tail = await readExactly(handle, size <= wholeUpTo ? 0 : size - TAIL_BYTES, size);
  const length = trailerLength(tail);
  if (length === null || length > size) throw damaged(path, 'no trailer');
  const trailer =
    length <= tail.length
      ? tail.subarray(tail.length - length)
      : await readExactly(handle, size - length, size);
  const info = trailer.length < FOOTER_BYTES ? null : decodeTrailer(trailer, size);
  if (info === null) throw damaged(path, 'the trailer does not match the file');
  return { info, whole: tail.length === size ? tail : null };
}

async function readExactly(handle: FileHandle, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(end - start);
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, start + filled);
    if (bytesRead === 0) return buffer.subarray(0, filled);
    filled += bytesRead;
  }
  return buffer;
}

/**
 * The bytes of an open object as a stream that closes the file at its end or when it is destroyed.
 * Errors: RANGE_NOT_SATISFIABLE; on the stream: ABORTED, STORAGE_UNAVAILABLE, OBJECT_DAMAGED.
 */
export async function bodyOf(object: OpenObject, options: GetOptions): Promise<Readable> {
  const { start, end } = bounds(object.info, options.range);
  if (object.whole !== null || start === end) {
    await object.handle.close();
    return wholeStream(object.whole?.subarray(start, end));
  }
  const stream = rangeStream(object.handle, start, end);
  if (options.signal !== undefined) destroyOnAbort(stream, options.signal);
  return stream;
}

/** Half-open bounds of an inclusive HTTP range. */
function bounds(info: ObjectInfo, range: GetOptions['range']): { start: number; end: number } {
  if (range === undefined) return { start: 0, end: info.bytes };
  const end = Math.min(info.bytes, (range.end ?? Number.MAX_SAFE_INTEGER) + 1);
  if (range.start < 0 || range.start >= end)
    throw new StorageError('RANGE_NOT_SATISFIABLE', undefined, { details: { bytes: info.bytes } });
  return { start: range.start, end };
}

function wholeStream(bytes: Buffer | undefined): Readable {
  return new Readable({
    read() {
      if (bytes !== undefined && bytes.length > 0) this.push(bytes);
      this.push(null);
    },
  });
}

function rangeStream(handle: FileHandle, start: number, end: number): Readable {
  let position = start;
  /** Resolves to the next bytes; fails when the file has none where it should. */
  const next = async (): Promise<Buffer> => {
    const length = Math.min(CHUNK_BYTES, end - position);
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafeSlow(length), 0, length, position);
    if (bytesRead === 0) throw damaged('', 'the file became shorter');
    position += bytesRead;
    return buffer.subarray(0, bytesRead);
  };
  const fill = async (stream: Readable): Promise<void> => {
    try {
      stream.push(await next());
      if (position === end) stream.push(null);
    } catch (error) {
      stream.destroy(asError(classify(error)));
    }
  };
  const close = async (error: Error | null, done: (error: Error | null) => void): Promise<void> => {
    let failure = error;
    try {
      await handle.close();
    } catch (closing) {
      failure ??= asError(classify(closing));
    }
    done(failure);
  };
  return new Readable({
    highWaterMark: CHUNK_BYTES,
    read() {
      void fill(this);
    },
    destroy: (error, done) => void close(error, done),
  });
}

function destroyOnAbort(stream: Readable, signal: AbortSignal): void {
  const stop = () => stream.destroy(aborted(signal));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  stream.once('close', () => signal.removeEventListener('abort', stop));
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
