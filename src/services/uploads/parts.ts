import { Readable } from 'node:stream';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import type { FileId } from '../../domain/ids.ts';
import { belowUpload, type ObjectKey, objectKey, partKey, partOffset } from '../../domain/keys.ts';
import { announceFor } from '../announce.ts';
import type { ServiceDeps } from '../deps.ts';

type Deps = Pick<ServiceDeps, 'db' | 'storage'>;

/**
 * Bytes of one part: what a process that dies loses at most, and what each upload at work holds in memory. At USD 0.005
 * for 1,000 requests that write (Amazon S3, Standard, us-east-1, 2025) the parts of a 5 MB photo cost 0.0025 cents.
 */
export const PART_BYTES = 1024 * 1024;
/** More than the largest upload comes in by itself: one in more pieces, whose listing costs more and more, is refused. */
export const MAX_PARTS = 300;

export interface Part {
  readonly key: ObjectKey;
  readonly bytes: number;
}

/** The parts that follow on each other from the first byte on, in order. */
export async function listParts(deps: Deps, id: FileId): Promise<readonly Part[]> {
  const parts: Part[] = [];
  let end = 0;
  for await (const { key, bytes } of deps.storage.listFiles(belowUpload(id))) {
    if (partOffset(id, key) !== end) continue;
    parts.push({ key: objectKey(key), bytes });
    end += bytes;
  }
  return parts;
}

export function lengthOf(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + part.bytes, 0);
}

/**
 * Stores bytes that begin at `offset` as parts, each durable before the next is taken. What has come when the body breaks
 * is stored too; then it throws. A part is never replaced: of two who write the same the second gets CONFLICT.
 * Returns the offset behind the last byte. Errors: CONFLICT, also once the file is no longer pending.
 */
export async function storeParts(
  deps: Deps,
  id: FileId,
  { offset, size, present }: { offset: number; size: number; present: number },
  body: Readable,
): Promise<number> {
  const keys: ObjectKey[] = [];
  for (let start = offset; start < size; start += PART_BYTES) keys.push(partKey(id, start));
  if (present + keys.length > MAX_PARTS)
    throw new StorageError(
      'CONFLICT',
      'The upload came in too many pieces; begin a new one, in larger pieces.',
    );
  if (!(await announceFor(deps.db, { id, from: 'pending' }, keys)))
    throw new StorageError('CONFLICT', 'The upload was completed or removed meanwhile.');
  let end = offset;
  for await (const bytes of inParts(body)) {
    await storePart(deps, partKey(id, end), bytes);
    end += bytes.length;
  }
  return end;
}

async function storePart(deps: Deps, key: ObjectKey, bytes: Uint8Array): Promise<void> {
  try {
    await deps.storage.uploadFile(bytes, {
      key,
      contentType: 'application/octet-stream',
      access: 'private',
      ifNoneMatch: true,
    });
  } catch (error) {
    if (!isStorageError(error, 'ALREADY_EXISTS')) throw error;
    throw new StorageError('CONFLICT', 'The upload goes on in another request.', { cause: error });
  }
}

/**
 * Cuts a body into parts; the last one may be shorter, also when the body breaks: then it throws behind it. Each part is
 * given in the same memory as the one before: it is to be stored before the next is asked for.
 */
async function* inParts(body: Readable): AsyncGenerator<Uint8Array> {
  const part = Buffer.allocUnsafeSlow(PART_BYTES);
  let length = 0;
  let failure: { error: unknown } | null = null;
  try {
    for await (const chunk of body) {
      if (!Buffer.isBuffer(chunk)) throw new StorageError('INTERNAL');
      for (let taken = 0; taken < chunk.length; ) {
        const copied = chunk.copy(part, length, taken);
        taken += copied;
        length += copied;
        if (length < PART_BYTES) continue;
        yield part;
        length = 0;
      }
    }
  } catch (error) {
    failure = { error };
  }
  if (length > 0) yield part.subarray(0, length);
  if (failure !== null) throw failure.error;
}

/** The bytes of parts as one stream. */
export function readParts(deps: Deps, parts: readonly Part[], signal?: AbortSignal): Readable {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (const part of parts) {
      const { body } = await deps.storage.downloadFile(part.key, signal === undefined ? {} : { signal });
      yield* body;
    }
  }
  return Readable.from(bytes(), { objectMode: false });
}
