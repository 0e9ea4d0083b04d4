import { randomUUID } from 'node:crypto';
import { StorageError } from '../../../domain/errors.ts';
import type { ObjectKey } from '../../../domain/keys.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { ObjectInfo, PutOptions } from '../../../ports/object-store.ts';
import { encodeTrailer } from './trailer.ts';

/**
 * Describes a new object once its length is known, which a stream tells at its end. The etag is a fresh random id:
 * it costs nothing, and another content never gets the same one.
 * Errors: UPLOAD_MISMATCH when another length was announced.
 */
export function describe(key: ObjectKey, options: PutOptions, clock: Clock) {
  let written: ObjectInfo | undefined;
  return {
    trailer: (bytes: number): Buffer => {
      if (options.contentLength !== undefined && options.contentLength !== bytes)
        throw new StorageError('UPLOAD_MISMATCH', undefined, {
          details: { announced: options.contentLength, bytes },
        });
      written = {
        key,
        bytes,
        etag: randomUUID().replaceAll('-', ''),
        contentType: options.contentType,
        cacheControl: options.cacheControl ?? null,
        metadata: lowerCaseNames(options.metadata ?? {}),
        storageClass: options.storageClass ?? 'STANDARD',
        modifiedAt: clock.now(),
      };
      return encodeTrailer(written);
    },
    info: (): ObjectInfo => {
      if (written === undefined) throw new StorageError('INTERNAL');
      return written;
    },
  };
}

function lowerCaseNames(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]));
}
