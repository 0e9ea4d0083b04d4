import { StorageError } from '../../domain/errors.ts';
import type { ObjectTags } from '../../ports/object-store.ts';

/** The limits of the port, which are S3's ("Object tagging" in the Amazon S3 User Guide, 2025). Errors: INVALID_REQUEST. */
export function assertTags(tags: ObjectTags): void {
  const entries = Object.entries(tags);
  const fits = ([name, value]: [string, string]) =>
    name.length >= 1 && name.length <= 128 && value.length <= 256;
  if (entries.length > 10 || !entries.every(fits))
    throw new StorageError('INVALID_REQUEST', 'A file has ten tags at most, of 128 and 256 characters.');
}
