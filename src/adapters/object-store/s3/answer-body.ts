import { Readable } from 'node:stream';
import { StorageError } from '../../../domain/errors.ts';
import { aborted } from './failures.ts';

/** A server that gives nothing for so long, while more is asked for, has lost the connection. */
export const STALL_MS = 15_000;

/**
 * The body of an answer, as callers of the port know it: it fails with STORAGE_UNAVAILABLE when it breaks or stalls, and
 * with ABORTED by its signal. Passes chunks on by events: asynchronous iteration would double the processor time.
 */
export function answerBody(source: Readable, signal: AbortSignal | undefined, stallMs = STALL_MS): Readable {
  let stalled: NodeJS.Timeout | undefined;
  const fail = (cause: unknown) => {
    body.destroy(
      signal?.aborted ? aborted(signal) : new StorageError('STORAGE_UNAVAILABLE', undefined, { cause }),
    );
  };
  const stop = () => fail(undefined);
  const rest = () => {
    source.pause();
    clearTimeout(stalled);
    stalled = undefined;
  };
  const body = new Readable({
    highWaterMark: source.readableHighWaterMark,
    read() {
      stalled ??= setTimeout(() => fail(new Error(`no bytes for ${stallMs} ms`)), stallMs);
      source.resume();
    },
    destroy(error, done) {
      clearTimeout(stalled);
      signal?.removeEventListener('abort', stop);
      source.destroy();
      done(error);
    },
  });

  source.pause();
  source.on('data', (chunk: Uint8Array) => {
    stalled?.refresh();
    if (!body.push(chunk)) rest();
  });
  source.once('end', () => {
    clearTimeout(stalled);
    body.push(null);
  });
  source.on('error', fail);
  source.once('close', () => {
    if (!source.readableEnded && !body.destroyed) fail(new Error('the answer ended early'));
  });
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted) stop();
  return body;
}

/** What the SDK gives as a body is a stream of Node; anything else is a fault of ours. */
export function readableOf(body: unknown): Readable {
  if (body instanceof Readable) return body;
  throw new StorageError('INTERNAL');
}
