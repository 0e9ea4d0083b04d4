import { randomUUID } from 'node:crypto';
import { addAbortSignal, Readable } from 'node:stream';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { ObjectKey } from '../../../domain/keys.ts';
import type { ObjectInfo, PutOptions } from '../../../ports/object-store.ts';
import { type BlockReader, blockReader, blocksOf } from './blocks.ts';
import { type Bucket, sending } from './bucket.ts';
import { etagOf } from './describe.ts';
import { classify, throwIfAborted } from './failures.ts';
import { putMultipart } from './multipart.ts';
import { assertAnnounced, describedBy, knowingOwnWork, type Writing, type Written } from './writing.ts';

/** Up to here an object is sent in one request, and so held in memory whole: every photo is. */
const SINGLE_BYTES = 16 * 1024 ** 2;

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
    const atHand = await reader.gather(SINGLE_BYTES + 1);
    const written =
      atHand <= SINGLE_BYTES
        ? await putSingle(writing, reader.take(Buffer.allocUnsafeSlow(atHand)))
        : await putMultipart(writing, reader, failed);
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

async function putSingle(writing: Writing, body: Buffer): Promise<Written> {
  const { bucket, key, options, described } = writing;
  assertAnnounced(body.length, options);
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
