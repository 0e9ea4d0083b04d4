import { createHash, hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import { throwIfAborted } from '../retry.ts';
import { chunksOf } from './chunks.ts';
import { pulledFrom } from './pulled.ts';
import type { ByteStream, UploadMetadata, UploadSource } from './types.ts';

type Limits = Pick<UploadMetadata, 'maxBytes' | 'expectedSha256' | 'contentLength' | 'onProgress' | 'signal'>;

/** One attempt's bytes, and their hash once the driver has taken them all. */
export interface UploadAttempt {
  readonly body: Readable | Uint8Array;
  readonly contentLength: number | undefined;
  /** Empty until all bytes have passed. */
  readonly sha256: () => string;
}

export interface UploadBody {
  /** Whether the bytes are there for another attempt. */
  readonly canRepeat: () => boolean;
  readonly attempt: () => UploadAttempt;
}

/** Errors: FILE_TOO_LARGE, UPLOAD_MISMATCH: at once for a buffer, in the stream for a stream. */
export function uploadBody(source: UploadSource, limits: Limits): UploadBody {
  assertLength(limits.contentLength, limits.maxBytes);
  return source instanceof Uint8Array ? bufferBody(source, limits) : streamBody(source, limits);
}

function bufferBody(bytes: Uint8Array, limits: Limits): UploadBody {
  assertLength(bytes.length, limits.maxBytes);
  assertAnnounced(bytes.length, limits.contentLength);
  const sha256 = hash('sha256', bytes);
  assertHash(sha256, limits.expectedSha256);
  return {
    canRepeat: () => true,
    attempt: () => {
      limits.onProgress?.({ sentBytes: 0, totalBytes: bytes.length });
      return { body: bytes, contentLength: bytes.length, sha256: () => sha256 };
    },
  };
}

function streamBody(source: ByteStream | (() => ByteStream), limits: Limits): UploadBody {
  let begun = false;
  return {
    canRepeat: () => typeof source === 'function' || !begun,
    attempt: () => {
      const digest = { sha256: '' };
      let opened: ByteStream | undefined;
      const open = () => {
        begun = true;
        opened = typeof source === 'function' ? source() : source;
        return opened;
      };
      const body = pulledFrom(metered(open, limits, digest), () => {
        if (opened instanceof Readable) opened.destroy();
      });
      return { body, contentLength: limits.contentLength, sha256: () => digest.sha256 };
    },
  };
}

/**
 * The source's bytes, counted, hashed and limited as they pass. A wrong hash is thrown before the end is reached, so
 * no driver can make the object visible. A source that breaks is told from a store that does: only the store's
 * failures are worth another attempt.
 */
async function* metered(
  open: () => ByteStream,
  limits: Limits,
  digest: { sha256: string },
): AsyncGenerator<Uint8Array> {
  const { onProgress, maxBytes, contentLength, signal } = limits;
  const running = createHash('sha256');
  let sentBytes = 0;
  try {
    const source = open();
    for await (const chunk of source instanceof Readable ? chunksOf(source) : source) {
      throwIfAborted(signal);
      const bytes = asBytes(chunk);
      sentBytes += bytes.length;
      assertLength(sentBytes, maxBytes);
      running.update(bytes);
      yield bytes;
      onProgress?.({ sentBytes, totalBytes: contentLength ?? null });
    }
  } catch (error) {
    throwIfAborted(signal);
    if (isStorageError(error)) throw error;
    throw new StorageError('UPLOAD_INCOMPLETE', undefined, { cause: error });
  }
  assertAnnounced(sentBytes, contentLength);
  digest.sha256 = running.digest('hex');
  assertHash(digest.sha256, limits.expectedSha256);
}

function asBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === 'string') return Buffer.from(chunk);
  throw new StorageError('INVALID_REQUEST', 'A file is a stream of bytes.');
}

function assertLength(bytes: number | undefined, maxBytes: number | undefined): void {
  if (bytes !== undefined && maxBytes !== undefined && bytes > maxBytes)
    throw new StorageError('FILE_TOO_LARGE', `The file is larger than ${maxBytes} bytes.`, {
      details: { maxBytes },
    });
}

function assertAnnounced(bytes: number, announced: number | undefined): void {
  if (announced !== undefined && announced !== bytes)
    throw new StorageError('UPLOAD_MISMATCH', undefined, { details: { bytes, announced } });
}

function assertHash(sha256: string, expected: string | undefined): void {
  if (expected !== undefined && expected !== sha256)
    throw new StorageError('UPLOAD_MISMATCH', undefined, { details: { sha256, expected } });
}
