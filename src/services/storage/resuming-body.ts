import { Readable } from 'node:stream';
import { isStorageError, StorageError } from '../../domain/errors.ts';

export interface Resumption {
  /** Bytes the caller already has of this body. */
  readonly received: number;
  readonly error: StorageError;
}

/**
 * A body that goes on where it was when its connection breaks: `reopen` is asked for the rest after every retryable
 * failure, and rejects when there is nothing more to try. Destroying the body destroys what it reads from.
 * Passes chunks on by events: asynchronous iteration would double the processor time of a download.
 */
export function resumingBody(first: Readable, reopen: (broken: Resumption) => Promise<Readable>): Readable {
  let current = first;
  let received = 0;
  const body = new Readable({
    highWaterMark: first.readableHighWaterMark,
    read: () => void current.resume(),
    destroy(error, done) {
      current.destroy();
      done(error);
    },
  });

  function follow(source: Readable): void {
    source.pause();
    source.on('data', (chunk: Uint8Array) => {
      received += chunk.length;
      if (!body.push(chunk)) source.pause();
    });
    source.once('end', () => body.push(null));
    source.on('error', (error) => void goOn(error));
    source.once('close', () => {
      if (!source.readableEnded && source.errored === null)
        void goOn(new StorageError('STORAGE_UNAVAILABLE'));
    });
  }

  async function goOn(error: Error): Promise<void> {
    if (body.destroyed) return;
    if (!isStorageError(error) || !error.retryable) {
      body.destroy(error);
      return;
    }
    try {
      current = await reopen({ received, error });
      if (body.destroyed) current.destroy();
      follow(current);
      current.resume();
    } catch (failure) {
      body.destroy(failure instanceof Error ? failure : error);
    }
  }

  follow(first);
  return body;
}
