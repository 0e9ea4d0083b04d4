import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { isStorageError, StorageError } from '../../../domain/errors.ts';
import type { BlockReader } from './blocks.ts';
import { sending } from './bucket.ts';
import { etagOf, incomplete } from './describe.ts';
import { assertAnnounced, knowingOwnWork, stored, type Writing, type Written } from './writing.ts';

/** Small enough that four of them are little memory, large enough that a request's own time does not show. */
export const PART_BYTES = 8 * 1024 ** 2;
const PARALLEL_PARTS = 4;
/** Amazon S3 User Guide, "Amazon S3 multipart upload limits", 2025. */
const MAX_PARTS = 10_000;
const MAX_OBJECT_BYTES = 5 * 1024 ** 4;
const ABANDON_MS = 5_000;

/**
 * Sends an object in parts, four at once, and holds no more of it than these and the one being read. Parts that were sent
 * are removed again when it fails; those of a process that died fall to `sweepIncomplete`.
 *
 * @param first what has been read already, the bytes of one part or more
 * @param failed aborted when a part cannot be sent, so that nobody waits for more of the source
 */
export async function putMultipart(
  writing: Writing,
  first: Buffer,
  reader: BlockReader,
  failed: AbortController,
): Promise<Written> {
  if (writing.options.ifNoneMatch) await assertFree(writing);
  const uploadId = await begin(writing);
  const parts = createPartSender(writing, uploadId, failed);
  try {
    const bytes = await sendAll(first, reader, parts, partBytes(writing.options.contentLength));
    assertAnnounced(bytes, writing.options);
    return await complete(writing, uploadId, { bytes, Parts: parts.sent() });
  } catch (error) {
    failed.abort();
    const cause = await parts.failure();
    await abandon(writing, uploadId);
    throw cause ?? error;
  }
}

/** Parts are 8 MiB, more only where ten thousand of these would not do. Errors: FILE_TOO_LARGE. */
export function partBytes(contentLength: number | undefined): number {
  if (contentLength !== undefined && contentLength > MAX_OBJECT_BYTES)
    throw new StorageError('FILE_TOO_LARGE');
  const least = Math.ceil((contentLength ?? 0) / MAX_PARTS / 1024 ** 2) * 1024 ** 2;
  return Math.max(PART_BYTES, least);
}

/** Refused before anything is sent, where that can be known; the store decides when the upload is completed. */
async function assertFree({ bucket, key, options }: Writing): Promise<void> {
  try {
    await stored(bucket, key, options.signal);
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND')) return;
    throw error;
  }
  throw new StorageError('ALREADY_EXISTS');
}

async function begin({ bucket, key, options, described }: Writing): Promise<string> {
  return bucket.request(
    async () => {
      const { UploadId } = await bucket.client.send(
        new CreateMultipartUploadCommand({
          Bucket: bucket.name,
          Key: key,
          ...described,
          // S3's own choice is CRC-64/NVME, which the SDK computes in JavaScript when the object is read.
          ...(bucket.checksums === 'when-supported' && { ChecksumAlgorithm: 'CRC32' }),
        }),
        sending(options.signal),
      );
      if (UploadId === undefined) throw incomplete('UploadId');
      return UploadId;
    },
    { signal: options.signal, patienceMs: bucket.patience.writeMs },
  );
}

interface PartSender {
  /** Takes a part once fewer than four are on their way. */
  send(block: Buffer): Promise<void>;
  /** A buffer that is free to be filled: one of an earlier part, where its bytes have arrived. */
  readonly buffer: (bytes: number) => Buffer;
  settled(): Promise<void>;
  /** In the order of their bytes. */
  sent(): CompletedPart[];
  /** Waits until nothing is on its way; then why a part could not be sent, or null. */
  failure(): Promise<Error | null>;
}

async function sendAll(first: Buffer, reader: BlockReader, parts: PartSender, size: number): Promise<number> {
  let bytes = 0;
  const send = (block: Buffer) => {
    bytes += block.length;
    return parts.send(block);
  };
  for (let at = 0; at < first.length; at += size) await send(first.subarray(at, at + size));
  for (;;) {
    const block = await reader.next(size, parts.buffer);
    if (block.length > 0) await send(block);
    if (block.length < size) break;
  }
  await parts.settled();
  return bytes;
}

function createPartSender(
  { bucket, key, options }: Writing,
  uploadId: string,
  failed: AbortController,
): PartSender {
  const onTheirWay = new Set<Promise<void>>();
  const done: (CompletedPart & { PartNumber: number })[] = [];
  const free: Buffer[] = [];
  const signal = AbortSignal.any([failed.signal, ...(options.signal ? [options.signal] : [])]);
  let failure: Error | null = null;
  let number = 0;

  async function upload(block: Buffer, PartNumber: number): Promise<void> {
    try {
      const part = await bucket.request(
        async () => {
          const { ETag, ChecksumCRC32 } = await bucket.client.send(
            new UploadPartCommand({
              Bucket: bucket.name,
              Key: key,
              UploadId: uploadId,
              PartNumber,
              Body: block,
              ContentLength: block.length,
            }),
            sending(signal),
          );
          return { ETag: `"${etagOf(ETag)}"`, ...(ChecksumCRC32 !== undefined && { ChecksumCRC32 }) };
        },
        { signal, patienceMs: bucket.patience.writeMs },
      );
      done.push({ PartNumber, ...part });
      free.push(block);
    } catch (error) {
      if (!failed.signal.aborted) failure = asError(error);
      failed.abort();
    }
  }

  return {
    async send(block) {
      number += 1;
      if (number > MAX_PARTS) throw new StorageError('FILE_TOO_LARGE');
      const part: Promise<void> = upload(block, number).finally(() => onTheirWay.delete(part));
      onTheirWay.add(part);
      if (onTheirWay.size >= PARALLEL_PARTS) await Promise.race(onTheirWay);
      if (failure !== null) throw failure;
    },
    buffer: (bytes) => free.pop() ?? Buffer.allocUnsafeSlow(bytes),
    async settled() {
      await Promise.all(onTheirWay);
      if (failure !== null) throw failure;
    },
    sent: () => done.toSorted((one, other) => one.PartNumber - other.PartNumber),
    async failure() {
      await Promise.all(onTheirWay);
      return failure;
    },
  };
}

async function complete(
  writing: Writing,
  uploadId: string,
  { bytes, Parts }: { bytes: number; Parts: CompletedPart[] },
): Promise<Written> {
  const { bucket, key, options } = writing;
  return knowingOwnWork(writing, async (noteAttempt) => {
    const { ETag } = await bucket.request(
      (attempt) => {
        noteAttempt(attempt);
        return bucket.client.send(
          new CompleteMultipartUploadCommand({
            Bucket: bucket.name,
            Key: key,
            UploadId: uploadId,
            MultipartUpload: { Parts },
            ...(options.ifNoneMatch && { IfNoneMatch: '*' }),
          }),
          sending(options.signal),
        );
      },
      { signal: options.signal, patienceMs: bucket.patience.writeMs, unmet: 'ALREADY_EXISTS' },
    );
    // Ceph 16 leaves it out.
    return ETag ? { etag: etagOf(ETag), bytes } : stored(bucket, key, options.signal);
  });
}

/** Also after an abort by the caller, whose signal would stop it. What fails here is swept later. */
async function abandon({ bucket, key }: Writing, uploadId: string): Promise<void> {
  try {
    await bucket.request(
      () =>
        bucket.client.send(
          new AbortMultipartUploadCommand({ Bucket: bucket.name, Key: key, UploadId: uploadId }),
        ),
      { patienceMs: ABANDON_MS },
    );
  } catch (error) {
    if (!isStorageError(error)) throw error;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new StorageError('INTERNAL', undefined, { cause: error });
}
