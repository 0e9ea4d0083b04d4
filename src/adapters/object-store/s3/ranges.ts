import { Readable } from 'node:stream';
import { StorageError } from '../../../domain/errors.ts';
import { answerBody } from './answer-body.ts';
import { aborted } from './failures.ts';

/** Inclusive bounds, as in HTTP. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

const PART_BYTES = 8 * 1024 ** 2;
/** Parts that are under way or wait for their turn: 32 MiB of memory at most, whatever the object's size. */
const PARALLEL_PARTS = 4;

/**
 * The bytes of a range, in order, from parts that are read side by side. The answer that has begun already gives the first
 * part, and is then let go. Destroying the stream stops all parts.
 *
 * @param begun an answer whose body starts at `whole.start`
 */
export function rangesInOrder(
  begun: Readable,
  whole: Range & { readonly signal: AbortSignal | undefined },
  readRange: (range: Range, signal: AbortSignal) => Promise<Buffer>,
): Readable {
  const { signal } = whole;
  const stopped = new AbortController();
  const stop = AbortSignal.any([stopped.signal, ...(signal === undefined ? [] : [signal])]);
  const parts: Promise<Buffer>[] = [];
  let next = whole.start;

  const ask = () => {
    if (next > whole.end) return;
    const range = { start: next, end: Math.min(next + PART_BYTES - 1, whole.end) };
    const isFirst = next === whole.start;
    next = range.end + 1;
    const part = isFirst
      ? collect(begun, range.end - range.start + 1, stop).catch(() => readRange(range, stop))
      : readRange(range, stop);
    // Awaited in its turn; one that fails before must not be an unhandled rejection.
    part.catch(() => {});
    parts.push(part);
  };
  const onAbort = () => {
    if (signal !== undefined) body.destroy(aborted(signal));
  };
  const pull = async () => {
    try {
      const part = await parts.shift();
      ask();
      body.push(part ?? null);
    } catch (error) {
      body.destroy(
        error instanceof Error ? error : new StorageError('INTERNAL', undefined, { cause: error }),
      );
    }
  };
  const body = new Readable({
    highWaterMark: PART_BYTES,
    read: () => void pull(),
    destroy(error, done) {
      signal?.removeEventListener('abort', onAbort);
      stopped.abort();
      begun.destroy();
      done(error);
    },
  });
  signal?.addEventListener('abort', onAbort, { once: true });
  for (let asked = 0; asked < PARALLEL_PARTS; asked += 1) ask();
  return body;
}

/** The first `bytes` of a body, which is let go then. Errors: STORAGE_UNAVAILABLE when it breaks or ends before. */
export async function collect(source: Readable, bytes: number, signal: AbortSignal): Promise<Buffer> {
  const collected = Buffer.allocUnsafeSlow(bytes);
  const body = answerBody(source, signal);
  let filled = 0;
  return new Promise((resolve, reject) => {
    const settle = () => {
      if (filled < bytes)
        reject(new StorageError('STORAGE_UNAVAILABLE', undefined, { details: { filled, bytes } }));
      else resolve(collected);
    };
    body.on('data', (chunk: Uint8Array) => {
      const some = chunk.subarray(0, bytes - filled);
      collected.set(some, filled);
      filled += some.length;
      if (filled === bytes) settle();
      if (some.length < chunk.length) body.destroy();
    });
    body.once('end', settle);
    body.once('error', reject);
  });
}
