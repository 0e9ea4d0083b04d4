import { Readable } from 'node:stream';
import { StorageError } from '#src/domain/errors.ts';

/**
 * Passes 1 to `maxBytes` bytes on, as a signed form allows. The first byte too many, or the end without any, fails
 * the stream with UPLOAD_MISMATCH. Nothing is read before somebody reads here, so that no failure comes too early to
 * be heard.
 */
export function announcedBody(body: Readable, maxBytes: number): Readable {
  return Readable.from(counted(body, maxBytes), { objectMode: false });
}

async function* counted(body: Readable, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  // Destroying the source is left to its owner, who would take it for a client that went away.
  for await (const chunk of body.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) throw new StorageError('INTERNAL');
    bytes += chunk.length;
    if (bytes > maxBytes) throw mismatch(`The form allows at most ${maxBytes} bytes.`);
    yield chunk;
  }
  if (bytes === 0) throw mismatch('The form brought an empty file.');
}

function mismatch(message: string): StorageError {
  return new StorageError('UPLOAD_MISMATCH', message);
}
