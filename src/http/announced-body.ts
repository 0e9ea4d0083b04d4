import { type Readable, Transform } from 'node:stream';
import { StorageError } from '#src/domain/errors.ts';

/**
 * Passes 1 to `maxBytes` bytes on, as a signed form allows. The first byte too many, or the end without any, fails
 * the stream with UPLOAD_MISMATCH.
 */
export function announcedBody(body: Readable, maxBytes: number): Readable {
  let bytes = 0;
  const limited = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes) done(mismatch(`The form allows at most ${maxBytes} bytes.`));
      else done(null, chunk);
    },
    flush(done) {
      done(bytes === 0 ? mismatch('The form brought an empty file.') : null);
    },
  });
  body.once('error', (error) => limited.destroy(error));
  limited.once('close', () => body.unpipe(limited));
  return body.pipe(limited);
}

function mismatch(message: string): StorageError {
  return new StorageError('UPLOAD_MISMATCH', message);
}
