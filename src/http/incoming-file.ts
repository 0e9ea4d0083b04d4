import type { Readable } from 'node:stream';
import type { MultipartFile } from '@fastify/multipart';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isStorageError, StorageError } from '#src/domain/errors.ts';
import { closeAfterReply } from './lingering-close.ts';
import type { UploadLimits } from './upload-limits.ts';

/** What a multipart body holds beside the file: boundaries, headers and fields. */
const MULTIPART_OVERHEAD = 64 * 1024;
/** What may follow the file is a line; more is not waited for. */
const DRAIN_MS = 500;
const FIELDS = { fields: 30, fieldSize: 8 * 1024, fieldNameSize: 200, files: 5, parts: 40, headerPairs: 50 };

export interface ReceivedFile {
  readonly filename: string;
  readonly type: string | null;
  readonly body: Readable;
  /** Text fields sent before the file. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface ReceiveOptions {
  readonly maxFileSize: number;
  readonly uploads: UploadLimits;
  readonly signal: AbortSignal;
}

/**
 * Hands the field `file` of a multipart request to `use` as a stream; nothing is held here. A file past the limit
 * fails that stream at once and the connection is closed instead of being drained. Errors: UNSUPPORTED_TYPE when it
 * is not multipart, INVALID_REQUEST when it has no file or cannot be read, FILE_TOO_LARGE, BUSY, ABORTED.
 */
export async function receiveFile<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  options: ReceiveOptions,
  use: (file: ReceivedFile) => Promise<T>,
): Promise<T> {
  try {
    if (!request.isMultipart())
      throw new StorageError(
        'UNSUPPORTED_TYPE',
        'Send the file as multipart/form-data, in a field named "file".',
      );
    if (announcedBytes(request) > options.maxFileSize + MULTIPART_OVERHEAD)
      throw tooLarge(options.maxFileSize);
    const release = await options.uploads.slot(options.signal);
    try {
      const result = await useFilePart(request, options, use, release);
      await drained(request);
      return result;
    } finally {
      release();
    }
  } finally {
    if (!request.raw.complete) closeAfterReply(request, reply);
  }
}

async function useFilePart<T>(
  request: FastifyRequest,
  options: ReceiveOptions,
  use: (file: ReceivedFile) => Promise<T>,
  received: () => void,
): Promise<T> {
  const fields: Record<string, string> = {};
  const parts = request.parts({
    limits: { ...FIELDS, fileSize: options.maxFileSize },
  });
  for (;;) {
    const next = await parts.next().catch((error: unknown) => {
      throw unreadable(error, options.signal);
    });
    if (next.done === true)
      throw new StorageError('INVALID_REQUEST', 'The request has no file: send it in a field named "file".');
    const part = next.value;
    if (part.type === 'field') fields[part.fieldname] = String(part.value);
    else if (part.fieldname !== 'file') part.file.resume();
    else return await usePart(part, fields, options, use, received);
  }
}

async function usePart<T>(
  part: MultipartFile,
  fields: Readonly<Record<string, string>>,
  options: ReceiveOptions,
  use: (file: ReceivedFile) => Promise<T>,
  received: () => void,
): Promise<T> {
  let fault: StorageError | null = null;
  part.file.once('limit', () => {
    fault = tooLarge(options.maxFileSize);
    part.file.destroy(fault);
  });
  part.file.once('error', (error) => {
    fault ??= unreadable(error, options.signal);
  });
  part.file.once('close', received);
  try {
    return await use({
      filename: part.filename ?? '',
      type: part.mimetype === '' ? null : part.mimetype,
      body: part.file,
      fields,
    });
  } catch (error) {
    throw fault ?? error;
  } finally {
    if (!part.file.readableEnded) part.file.destroy();
  }
}

/** Waits for the last boundary behind the file, so that the connection can be used again. */
async function drained(request: FastifyRequest): Promise<void> {
  if (request.raw.complete) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, DRAIN_MS);
  request.raw.once('end', resolve).once('close', resolve);
  await promise;
  clearTimeout(timer);
}

function announcedBytes(request: FastifyRequest): number {
  return Number(request.headers['content-length'] ?? 0);
}

function tooLarge(maxFileSize: number): StorageError {
  const megabytes = Math.floor(maxFileSize / (1024 * 1024));
  return new StorageError('FILE_TOO_LARGE', `The file is larger than ${megabytes} MB.`);
}

function unreadable(error: unknown, signal: AbortSignal): StorageError {
  if (isStorageError(error)) return error;
  if (signal.aborted) return new StorageError('ABORTED', undefined, { cause: error });
  return new StorageError('INVALID_REQUEST', 'The multipart body cannot be read to its end.', {
    cause: error,
  });
}
