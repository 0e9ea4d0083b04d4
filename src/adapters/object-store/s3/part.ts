import type { Readable } from 'node:stream';
import { isStorageError, StorageError } from '../../../domain/errors.ts';
import { STALL_MS } from './answer-body.ts';
import { aborted } from './failures.ts';
import type { Range } from './ranges.ts';

/** A range of an object that is being read into memory. */
export interface Part {
  /** The next bytes; null when none are here yet, or no more come. */
  take(): Uint8Array | null;
  /** Whether all its bytes have come. */
  isDone(): boolean;
  /** Why it cannot be read to its end; null while it can. */
  failure(): unknown;
  /** Of a part that is done: the body that it was read from, at rest behind it; null when that has ended. */
  rest(): Readable | null;
}

export interface PartOptions {
  /** Asks for the object from there on, to the end of the part at least. */
  readonly open: (start: number) => Promise<Readable>;
  readonly signal: AbortSignal;
  /** Called when there may be something to take, or nothing more to wait for. */
  readonly onBytes: () => void;
}

/** A line that breaks more often than this within one part is no line. */
const MAX_RESUMPTIONS = 5;

/**
 * Reads a range at once, whether its bytes are taken or not: they are what a part may hold. A body that breaks is taken up
 * again where it was.
 *
 * @param begun a body that stands where the range starts and may go on behind it; null to ask for one
 */
export function readPart(range: Range, begun: Readable | null, { open, signal, onBytes }: PartOptions): Part {
  const chunks: Uint8Array[] = [];
  const bytes = range.end - range.start + 1;
  let received = 0;
  let failure: unknown = null;
  let source = begun;

  async function read(): Promise<void> {
    for (let broken = 0; received < bytes; broken += 1) {
      try {
        source ??= await open(range.start + received);
        await drain(source, signal, (chunk) => {
          const wanted = bytes - received;
          received += Math.min(wanted, chunk.length);
          chunks.push(chunk.length <= wanted ? chunk : chunk.subarray(0, wanted));
          if (chunk.length < wanted) onBytes();
          return chunk.length < wanted ? null : chunk.subarray(wanted);
        });
      } catch (error) {
        source = null;
        if (broken >= MAX_RESUMPTIONS || !isStorageError(error, 'STORAGE_UNAVAILABLE')) throw error;
      }
    }
    onBytes();
  }

  read().catch((error: unknown) => {
    failure = error;
    onBytes();
  });
  return {
    take: () => chunks.shift() ?? null,
    isDone: () => received === bytes,
    failure: () => failure,
    rest: () => (source?.readable === true ? source : null),
  };
}

/**
 * Reads until `take` has what it wants and gives back what was too much, which goes back to the source. Errors:
 * STORAGE_UNAVAILABLE when it breaks, stalls or ends before, ABORTED.
 */
function drain(
  source: Readable,
  signal: AbortSignal,
  take: (chunk: Uint8Array) => Uint8Array | null,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stalled = setTimeout(() => source.destroy(new Error(`no bytes for ${STALL_MS} ms`)), STALL_MS);
    const leave = () => {
      clearTimeout(stalled);
      signal.removeEventListener('abort', stop);
      source.off('data', onData).off('error', fail).off('close', end).off('end', end);
      // Between two parts nobody waits for it.
      source.on('error', ignore);
    };
    const fail = (cause: unknown) => {
      leave();
      if (signal.aborted) reject(aborted(signal));
      else reject(new StorageError('STORAGE_UNAVAILABLE', undefined, { cause }));
    };
    const end = () => fail(new Error('the answer ended early'));
    const stop = () => source.destroy(aborted(signal));
    const onData = (chunk: Uint8Array) => {
      stalled.refresh();
      const rest = take(chunk);
      if (rest === null) return;
      leave();
      source.pause();
      if (rest.length > 0) source.unshift(rest);
      resolve();
    };
    source.off('error', ignore).on('error', fail).on('close', end).on('end', end).on('data', onData);
    signal.addEventListener('abort', stop, { once: true });
    if (source.destroyed) end();
    else if (signal.aborted) stop();
    else source.resume();
  });
}

const ignore = (): void => {};

/** Lets a body go: one that is at its end leaves its connection for the next, one that goes on is cut off. */
export function letGo(source: Readable | null): void {
  source?.once('data', () => source.destroy());
  source?.resume();
}
