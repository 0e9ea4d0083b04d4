import { createHash } from 'node:crypto';
import { type Duplex, pipeline, Readable } from 'node:stream';
import type { StoredObject } from '../../db/scrub.ts';
import { isStorageError } from '../../domain/errors.ts';
import type { ServiceDeps } from '../../services/deps.ts';

type Owned = Pick<StoredObject, 'fileId' | 'ownerId' | 'uploadSha256'>;

/**
 * What is wrong with the encrypted bytes of a document, in words; null when they open with its key, every frame
 * authenticated, to what was uploaded. The one proof there is until a hash of the encrypted bytes is known. What lies
 * behind the last frame is not looked at, here as in all reading. Errors: those of the bytes' source.
 */
export async function faultOfDocument(
  deps: Pick<ServiceDeps, 'security'>,
  document: Owned,
  encrypted: AsyncIterable<Uint8Array>,
): Promise<string | null> {
  const plain = await decrypting(deps, document);
  if (plain === null) return 'it has no key';
  const hash = createHash('sha256');
  // Whichever of the two ends early takes the other with it: the failure is seen by who reads the plain bytes.
  pipeline(Readable.from(encrypted), plain, () => undefined);
  try {
    for await (const chunk of plain) hash.update(chunk);
  } catch (error) {
    if (!isStorageError(error, 'FORBIDDEN')) throw error;
    return 'it does not open';
  }
  return hash.digest('hex') === document.uploadSha256 ? null : 'it opens to other bytes';
}

async function decrypting(
  deps: Pick<ServiceDeps, 'security'>,
  { fileId, ownerId }: Owned,
): Promise<Duplex | null> {
  try {
    return await deps.security.decryptFile({ fileId, ownerId });
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND') || isStorageError(error, 'FORBIDDEN')) return null;
    throw error;
  }
}
