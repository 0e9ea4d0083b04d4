import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { StorageError } from '../../domain/errors.ts';
import { objectKey } from '../../domain/keys.ts';
import type { StorageService } from '../storage.service.ts';

/**
 * Reads an object whole and compares it with the hash that its row has: what was changed behind our back is neither
 * shown nor built upon. Errors: OBJECT_DAMAGED, and those of downloadFile.
 */
export async function readProven(
  storage: Pick<StorageService, 'downloadFile'>,
  object: { readonly key: string; readonly sha256: string },
  signal?: AbortSignal,
): Promise<{ readonly bytes: Buffer; readonly etag: string }> {
  const { body, info } = await storage.downloadFile(
    objectKey(object.key),
    signal === undefined ? {} : { signal },
  );
  const bytes = await buffer(body);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (sha256 === object.sha256) return { bytes, etag: info.etag };
  throw new StorageError('OBJECT_DAMAGED', undefined, {
    details: { key: object.key, finding: 'another hash', expected: object.sha256, found: sha256 },
  });
}
