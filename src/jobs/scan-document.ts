import { buffer } from 'node:stream/consumers';
import { type ErrorCode, isStorageError, StorageError } from '../domain/errors.ts';
import { findFile, lockFileAndItem, setStage, transition, updateFile } from '../db/files.ts';
import { jsonText } from '../db/json.ts';
import { settleObjects } from '../db/objects.ts';
import type { FileRow } from '../db/schema.ts';
import { findPdfProblem } from '../domain/pdf/inspect.ts';
import type { JobContext, JobPayloads } from '../ports/job-queue.ts';
import { openDocument } from '../services/documents.ts';
import { end } from '../services/removal.ts';
import { storedKey } from '../services/uploads/stored-key.ts';
import { malwareRefusal, scanBytes } from './checks.ts';
import type { JobDeps } from './deps.ts';

const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'INVALID_IMAGE',
  'UNSUPPORTED_TYPE',
  'TOO_MANY_PIXELS',
  'MALWARE_FOUND',
  'UPLOAD_MISMATCH',
  'FORBIDDEN',
]);

const DAMAGED = 'The document is damaged: it cannot be read.';

/**
 * Opens a received identity document in memory, looks at its type and, in a PDF, for active content, has it scanned, and makes it ready. What
 * is refused is shredded: its object and its key go.
 */
export async function scanDocument(
  deps: JobDeps,
  { fileId, generation }: JobPayloads['scan-document'],
  context: JobContext,
): Promise<void> {
  const found = await findFile(deps.db, fileId);
  if (found === null || found.generation !== generation) return;
  const premise = { id: fileId, from: 'checking', generation } as const;
  const file =
    found.state === 'received'
      ? await transition(deps.db, { ...premise, from: 'received' }, 'checking')
      : found;
  if (file?.state !== 'checking') return;
  try {
    if (context.isExhausted) throw new StorageError('PROCESSING_FAILED');
    await setStage(deps.db, premise, 'inspect');
    const bytes = await buffer(await openDocument(deps, file, context.signal));
    const format = await formatOf(deps, bytes);
    await updateFile(deps.db, premise, { stage: 'scan', source_format: format });
    const scan = await scanBytes(deps, bytes, context.signal);
    if (scan.verdict === 'infected') throw malwareRefusal(scan, 'document');
    await makeReady(deps, file, jsonText({ ...scan, at: deps.clock.now().toISOString() }));
  } catch (error) {
    await settle(deps, file, error, context);
  }
}

async function formatOf(deps: JobDeps, bytes: Uint8Array): Promise<NonNullable<FileRow['source_format']>> {
  if (Buffer.from(bytes.subarray(0, 5)).toString('latin1') === '%PDF-') {
    refuseUnsafePdf(bytes);
    return 'pdf';
  }
  const format = await pictureFormat(deps, bytes);
  if (format !== 'jpeg' && format !== 'png' && format !== 'webp')
    throw new StorageError('UNSUPPORTED_TYPE', 'A document is a JPEG, PNG or WebP picture, or a PDF.');
  return format;
}

/** Throws what the uploader is told of a PDF that could do something, hides something, or cannot be looked into. */
function refuseUnsafePdf(bytes: Uint8Array): void {
  const problem = findPdfProblem(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if (problem === null) return;
  const details = { problem };
  if (problem.kind === 'unreadable') throw new StorageError('INVALID_IMAGE', DAMAGED, { details });
  const kind = problem.kind === 'encrypted' ? 'that is encrypted' : `with ${problem.what}`;
  const message = `A PDF ${kind} is not accepted. Print it into a new PDF, or take a picture of it.`;
  throw new StorageError('UNSUPPORTED_TYPE', message, { details });
}

/** Null for what is no picture at all. Damaged ones are refused in the words for documents. */
async function pictureFormat(deps: JobDeps, bytes: Uint8Array) {
  try {
    return (await deps.images.inspect(bytes)).format;
  } catch (error) {
    if (isStorageError(error, 'UNSUPPORTED_TYPE')) return null;
    if (isStorageError(error, 'INVALID_IMAGE'))
      throw new StorageError('INVALID_IMAGE', DAMAGED, { cause: error });
    throw error;
  }
}

async function makeReady(deps: JobDeps, file: FileRow, scan: string): Promise<void> {
  await deps.db.transaction().execute(async (trx) => {
    const ready = await transition(
      trx,
      { id: file.id, from: 'checking', generation: file.generation },
      'ready',
      { scan, stage: null, deadline_at: null, finished_at: deps.clock.now() },
    );
    if (ready !== null) await settleObjects(trx, [storedKey(file)]);
  });
}

async function settle(deps: JobDeps, file: FileRow, error: unknown, context: JobContext): Promise<void> {
  const isRefusal = isStorageError(error) && REFUSALS.has(error.code);
  const mayRetry =
    context.signal.aborted || (isStorageError(error) && error.retryable && !context.isLastAttempt);
  if (!isRefusal && mayRetry) throw error;
  if (!isRefusal) deps.log.error({ err: error, fileId: file.id }, 'a document could not be checked');
  await deps.db.transaction().execute(async (trx) => {
    const locked = await lockFileAndItem(trx, file.id);
    if (locked?.state !== 'checking' || locked.generation !== file.generation) return;
    const reason = isRefusal
      ? { code: error.code, message: error.message }
      : ({
          code: 'PROCESSING_FAILED',
          message: 'The document could not be checked. Please upload it again.',
        } as const);
    await end(trx, locked, isRefusal ? 'rejected' : 'failed', reason, { mayBeWritten: false });
  });
}
