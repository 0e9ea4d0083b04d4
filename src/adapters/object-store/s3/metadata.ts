import { StorageError } from '../../../domain/errors.ts';

/**
 * User metadata travels in HTTP header fields, where S3 keeps US-ASCII alone and proxies strip spaces. A value of plain
 * characters goes as it is; any other one as an extended value of RFC 8187: `UTF-8''caf%C3%A9`. Source: Amazon S3 User
 * Guide, "Working with object metadata", 2025: US-ASCII, at most 2 KB in all.
 */
export function encodeMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => {
      const lower = name.toLowerCase();
      if (!NAME.test(lower))
        throw new StorageError('INVALID_REQUEST', 'A name of metadata is not valid.', { details: { name } });
      return [lower, encodeValue(value)];
    }),
  );
}

/** Also of metadata that others have written: what does not decode is left as it is. */
export function decodeMetadata(
  metadata: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata ?? {})
      .filter(([name]) => name !== WRITE_ID)
      .map(([name, value]) => [name.toLowerCase(), decodeValue(value)]),
  );
}

/**
 * Names the call that wrote an object, so that a call whose answer was lost knows its own work. Not part of the metadata
 * that others see.
 */
export const WRITE_ID = 'localex-write-id';

/** A token of RFC 9110. */
const NAME = /^[!#$%&'*+.^_`|~\da-z-]+$/;
const PLAIN = /^[!-~]+( +[!-~]+)*$/;
const EXTENDED = "UTF-8''";

function encodeValue(value: string): string {
  if (PLAIN.test(value) && !value.startsWith(EXTENDED)) return value;
  return EXTENDED + encodeURIComponent(value.toWellFormed());
}

function decodeValue(value: string): string {
  if (!value.startsWith(EXTENDED)) return value;
  try {
    return decodeURIComponent(value.slice(EXTENDED.length));
  } catch {
    return value;
  }
}
