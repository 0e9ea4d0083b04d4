import type { Readable } from 'node:stream';
import { StorageError } from '../../../domain/errors.ts';

/** Bytes of a body as blocks that can be sent, and sent again. */
export interface BlockReader {
  /** The next `bytes`, or fewer when the body ends. `allocate` is asked for memory by those that need it. */
  next(bytes: number, allocate: (bytes: number) => Buffer): Promise<Buffer>;
}

/** Copies what arrives at once: chunks that wait for others would outlive the cheap half of garbage collection. */
export function blockReader(source: Readable): BlockReader {
  const arriving: AsyncIterator<unknown> = source[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  return {
    async next(bytes, allocate) {
      const buffer = allocate(bytes);
      let filled = 0;
      while (filled < bytes) {
        if (rest.length === 0) {
          const { done, value } = await arriving.next();
          if (done) break;
          rest = asBytes(value);
        }
        const some = rest.subarray(0, bytes - filled);
        buffer.set(some, filled);
        filled += some.length;
        rest = rest.subarray(some.length);
      }
      return buffer.subarray(0, filled);
    },
  };
}

/** The same for bytes that are in memory already, which are not copied. */
export function blocksOf(body: Uint8Array): BlockReader {
  let rest = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return {
    next(bytes) {
      const block = rest.subarray(0, bytes);
      rest = rest.subarray(block.length);
      return Promise.resolve(block);
    },
  };
}

function asBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === 'string') return Buffer.from(chunk);
  throw new StorageError('INVALID_REQUEST', 'A body is a stream of bytes.');
}
