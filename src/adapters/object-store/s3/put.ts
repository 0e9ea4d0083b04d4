import { randomUUID } from 'node:crypto';
import { addAbortSignal, Readable } from 'node:stream';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { ObjectKey } from '../../../domain/keys.ts';
import type { ObjectInfo, PutOptions } from '../../../ports/object-store.ts';
import { type BlockReader, blockReader, blocksOf } from './blocks.ts';
import { type Bucket, sending } from './bucket.ts';
import { etagOf } from './describe.ts';
import { classify, throwIfAborted } from './failures.ts';
import { PART_BYTES, putMultipart } from './multipart.ts';
import { assertAnnounced, describedBy, knowingOwnWork, type Writing, type Written } from './writing.ts';

/** Smaller objects are sent in one request, and so held in memory whole: every photo is. Two parts of a larger one. */
const SINGLE_BYTES = 2 * PART_BYTES;

/**
 * Sends an object in one request, or in parts when it is larger. All bytes are held until S3 has them, so a request that
 * fails is made again although the source cannot be read again.
 */
export async function put(
  bucket: Bucket,
  key: ObjectKey,
  body: Readable | Uint8Array,
  options: PutOptions,
): Promise<ObjectInfo> {
  return fromSource(body, options.signal, async (failed) => {
    throwIfAborted(options.signal);
    const writeId = randomUUID();
    const writing = { bucket, key, options, writeId, described: describedBy(bucket, options, writeId) };
    const reader = readerOf(
      body,
      AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])]),
    );
    const first = await reader.next(firstBytes(options.contentLength), allocate);
    const written =
      first.length < SINGLE_BYTES
        ? await putSingle(writing, first)
        : await putMultipart(writing, first, reader, failed);
    return {
      key,
      ...written,
      contentType: options.contentType,
      cacheControl: options.cacheControl ?? null,
      metadata: lowerCaseNames(options.metadata ?? {}),
      storageClass: options.storageClass ?? 'STANDARD',
      modifiedAt: bucket.clock.now(),
    };
  });
}

/** Outside of the pool, of which one byte would keep a whole slab. Not filled: pages that are not written cost nothing. */
const allocate = (bytes: number): Buffer => Buffer.allocUnsafeSlow(bytes);

/** One byte more than was announced shows a body that is longer. */
function firstBytes(contentLength = SINGLE_BYTES): number {
  return Math.min(contentLength + 1, SINGLE_BYTES);
}

async function putSingle(writing: Writing, body: Buffer): Promise<Written> {
  const { bucket, key, options, described } = writing;
  assertAnnounced(body.length, options);
  const sha256 = options.sha256?.() ?? '';
  if (sha256 !== '') bucket.knownHashes.set(body, sha256);
  return knowingOwnWork(writing, (noteAttempt) =>
    bucket.request(
      async (attempt) => {
        noteAttempt(attempt);
        const { ETag } = await bucket.client.send(
          new PutObjectCommand({
            Bucket: bucket.name,
            Key: key,
            Body: body,
            ContentLength: body.length,
            ...described,
            ...(options.ifNoneMatch && { IfNoneMatch: '*' }),
          }),
          sending(options.signal),
        );
        return { bytes: body.length, etag: etagOf(ETag) };
      },
      { signal: options.signal, patienceMs: bucket.patience.writeMs, unmet: 'ALREADY_EXISTS' },
    ),
  );
}

function readerOf(body: Readable | Uint8Array, signal: AbortSignal): BlockReader {
  if (!(body instanceof Readable)) return blocksOf(body);
  addAbortSignal(signal, body);
  return blockReader(body);
}

/**
 * A source that fails keeps its own error; whatever else fails, the source is let go. `failed` lets it go at once, also
 * while it is waited for.
 */
async function fromSource<T>(
  body: Readable | Uint8Array,
  signal: AbortSignal | undefined,
  work: (failed: AbortController) => Promise<T>,
): Promise<T> {
  const failed = new AbortController();
  try {
    return await work(failed);
  } catch (error) {
    if (!(body instanceof Readable)) throw classify(error, signal).error;
    const ownError = body.errored === error && signal?.aborted !== true && !failed.signal.aborted;
    body.destroy();
    throw ownError ? error : classify(error, signal).error;
  }
}

function lowerCaseNames(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]));
}
