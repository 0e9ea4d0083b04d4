import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { FileRow } from '../../db/schema.ts';
import { isAnnounced } from '../../domain/announced-type.ts';
import { StorageError } from '../../domain/errors.ts';
import { FIRST_BYTES, formatsByFirstBytes } from '../../domain/first-bytes.ts';
import { tooLarge } from './reserve.ts';

type Announced = Pick<FileRow, 'claimed_bytes' | 'claimed_type' | 'claimed_sha256'>;

/** Errors: FILE_TOO_LARGE, UPLOAD_MISMATCH. */
export function assertLength(file: Announced, bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw tooLarge(maxBytes);
  if (file.claimed_bytes !== null && file.claimed_bytes !== bytes) throw mismatch('length');
}

/** Errors: UPLOAD_MISMATCH. */
export function assertSha256(file: Announced, sha256: string): void {
  if (file.claimed_sha256 !== null && file.claimed_sha256 !== sha256) throw mismatch('hash');
}

/** Reads bytes once and resolves to their SHA-256, in hex. Errors: UNSUPPORTED_TYPE, UPLOAD_MISMATCH. */
export async function checkCopy(file: Announced, body: Readable): Promise<string> {
  const running = createHash('sha256');
  let head = Buffer.alloc(0);
  for await (const chunk of body) {
    if (!Buffer.isBuffer(chunk)) throw new StorageError('INTERNAL');
    if (head.length < FIRST_BYTES) head = Buffer.concat([head, chunk.subarray(0, FIRST_BYTES)]);
    running.update(chunk);
  }
  assertType(file.claimed_type, formatsByFirstBytes(head));
  const sha256 = running.digest('hex');
  assertSha256(file, sha256);
  return sha256;
}

function assertType(announced: string | null, formats: readonly string[]): void {
  if (formats.length === 0)
    throw new StorageError(
      'UNSUPPORTED_TYPE',
      'The file is not a photo; JPEG, PNG, WebP, HEIC and AVIF are accepted.',
    );
  if (formats.some((format) => isAnnounced(format, announced))) return;
  const found = formats.map((format) => format.toUpperCase()).join(' or ');
  throw new StorageError('UPLOAD_MISMATCH', `The file is ${found}, not ${announced} as was announced.`);
}

function mismatch(what: string): StorageError {
  return new StorageError('UPLOAD_MISMATCH', `The ${what} of the file is not what was announced.`);
}
