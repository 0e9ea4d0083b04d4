import type { Readable } from 'node:stream';
import { isStorageError } from '../../domain/errors.ts';
import { pulledFrom } from './pulled.ts';

export interface Resumption {
  /** Bytes the caller already has of this body. */
  readonly received: number;
  readonly error: unknown;
}

/**
 * A body that goes on where it was when its connection breaks: `reopen` is asked for the rest after every retryable
 * failure, and rejects when there is nothing more to try. Destroying the body destroys what it reads from.
 */
export function resumingBody(first: Readable, reopen: (broken: Resumption) => Promise<Readable>): Readable {
  let current = first;
  async function* chunks(): AsyncGenerator<Uint8Array> {
    let received = 0;
    for (;;) {
      try {
        for await (const chunk of current) {
          if (!(chunk instanceof Uint8Array)) continue;
          yield chunk;
          received += chunk.length;
        }
        return;
      } catch (error) {
        if (!isStorageError(error) || !error.retryable) throw error;
        current = await reopen({ received, error });
        if (body.destroyed) current.destroy();
      }
    }
  }
  const body = pulledFrom(chunks(), () => current.destroy());
  return body;
}
