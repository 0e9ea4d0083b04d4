import { Readable } from 'node:stream';
import { isStorageError, StorageError } from '../../domain/errors.ts';

/** Does the work that reads a source. A stream may break before it is read, and is destroyed whatever becomes of it. */
export async function withSource<T>(source: Readable | Uint8Array, work: () => Promise<T>): Promise<T> {
  if (!(source instanceof Readable)) return work();
  // Whoever reads it meets the error; until then nobody would.
  source.on('error', () => undefined);
  try {
    return await work();
  } finally {
    source.destroy();
  }
}

/**
 * The bytes of what is to be scanned, piece by piece. A source that breaks gives no
 * verdict: SCANNER_UNAVAILABLE; ABORTED by the signal.
 */
export async function* chunksOf(
  source: Readable | Uint8Array,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (!(source instanceof Readable)) {
    if (signal?.aborted) throw new StorageError('ABORTED');
    yield source;
    return;
  }
  const stop = () => source.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    if (signal?.aborted) throw new StorageError('ABORTED');
    for await (const chunk of source) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError('The source gives text, not bytes');
      yield chunk;
    }
    if (signal?.aborted) throw new StorageError('ABORTED');
  } catch (error) {
    if (signal?.aborted) throw new StorageError('ABORTED', undefined, { cause: error });
    throw isStorageError(error)
      ? error
      : new StorageError('SCANNER_UNAVAILABLE', undefined, { cause: error });
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}
