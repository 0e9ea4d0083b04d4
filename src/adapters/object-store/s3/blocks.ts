import type { Readable } from 'node:stream';
import { StorageError } from '../../../domain/errors.ts';

/** Bytes of a stream, gathered into blocks that can be sent, and sent again. */
export interface BlockReader {
  /** Reads until `bytes` are at hand or the stream has ended. Resolves to how many are, at most `bytes` or somewhat more. */
  gather(bytes: number): Promise<number>;
  /** Copies the next bytes at hand, as many as fit, and forgets them. Resolves to the part of `into` that is filled. */
  take(into: Buffer): Buffer;
}

export function blockReader(source: Readable): BlockReader {
  const arriving: AsyncIterator<unknown> = source[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let atHand = 0;
  let ended = false;
  return {
    async gather(bytes) {
      while (atHand < bytes && !ended) {
        const { done, value } = await arriving.next();
        if (done) ended = true;
        else {
          const chunk = asBytes(value);
          chunks.push(chunk);
          atHand += chunk.length;
        }
      }
      return atHand;
    },
    take(into) {
      let filled = 0;
      while (filled < into.length) {
        const [chunk] = chunks;
        if (chunk === undefined) break;
        const some = chunk.subarray(0, into.length - filled);
        into.set(some, filled);
        filled += some.length;
        if (some.length === chunk.length) chunks.shift();
        else chunks[0] = chunk.subarray(some.length);
      }
      atHand -= filled;
      return into.subarray(0, filled);
    },
  };
}

/** The same for bytes that are in memory already, which are not copied. */
export function blocksOf(bytes: Uint8Array): BlockReader {
  let rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    gather: () => Promise.resolve(rest.length),
    take(into) {
      const block = rest.subarray(0, into.length);
      rest = rest.subarray(block.length);
      return block;
    },
  };
}

function asBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === 'string') return Buffer.from(chunk);
  throw new StorageError('INVALID_REQUEST', 'A body is a stream of bytes.');
}
