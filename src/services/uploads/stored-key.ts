import { fileId, userId } from '../../domain/ids.ts';
import { documentKey, type ObjectKey, uploadKey } from '../../domain/keys.ts';
import type { FileRow } from '../../db/schema.ts';

/** Where the uploaded bytes of a file lie: identity documents at once, encrypted, in their own place. */
export function storedKey(file: Pick<FileRow, 'id' | 'kind' | 'owner_id'>): ObjectKey {
  return file.kind === 'verification_document'
    ? documentKey(userId(file.owner_id), fileId(file.id))
    : uploadKey(fileId(file.id));
}
