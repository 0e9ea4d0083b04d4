import { type ErrorCode, isStorageError, type StorageError } from '../../domain/errors.ts';
import type { FileState } from '../../domain/file-state.ts';
import { findFile, lockFileAndItem, setStage, transition, updateFile } from '../../db/files.ts';
import type { FileRow } from '../../db/schema.ts';
import type { JobContext, JobPayloads } from '../../ports/job-queue.ts';
import { end, type Reason, undo } from '../../services/removal.ts';
import type { JobDeps } from '../deps.ts';
import { runSteps, type Step } from '../steps.ts';
import { decode, inspect, scan } from './check.ts';
import { derive, finish, verify } from './derive.ts';
import { moderate } from './moderate.ts';
import { publishOriginal } from './publish.ts';
import { holdUnchecked } from './unchecked.ts';
import { recogniseLate } from './recognise.ts';
import { openStoredOriginal } from './stored-original.ts';
import { type IngestWork, newWork } from './work.ts';

/** The way of a photo, from received bytes to a full public set. */
const INGEST: readonly Step<IngestWork>[] = [
  inspect,
  scan,
  decode,
  moderate,
  publishOriginal,
  derive,
  verify,
  finish,
];

/** What is left to do once the original is public. */
const DERIVE: readonly Step<IngestWork>[] = [openStoredOriginal, recogniseLate, derive, verify, finish];

/** Codes that are a refusal of the upload itself: no retry changes them, and nothing of it is kept. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'INVALID_IMAGE',
  'UNSUPPORTED_TYPE',
  'TOO_MANY_PIXELS',
  'FILE_TOO_LARGE',
  'MALWARE_FOUND',
  'BANNED_IMAGE',
  'UPLOAD_MISMATCH',
]);

/** Codes that a failed photo tells its uploader; any other is ours to know. */
const EXPLAINED: ReadonlySet<ErrorCode> = new Set(['DEADLINE_EXCEEDED', 'STORAGE_FULL']);

/** Checks that are down: the photo waits, then a person is asked. Never "clean". */
const UNCHECKED: ReadonlySet<ErrorCode> = new Set(['SCANNER_UNAVAILABLE', 'MODERATOR_UNAVAILABLE']);

/** A file whose job died this often (with its process) is not tried again. */
const MAX_ATTEMPTS = 10;

const NOT_PROCESSED = 'The photo could not be processed. Please upload it again.';

type Payload = JobPayloads['ingest'];

/**
 * Leads a received photo to published and ready, in_review, rejected or failed. May run twice, die anywhere, or come
 * late: every commit states its premise. Throws only what the queue should try again.
 */
export async function ingest(deps: JobDeps, payload: Payload, context: JobContext): Promise<void> {
  const file = await begin(deps, payload);
  if (file === null) return;
  if (context.isExhausted) return giveUp(deps, file);
  await runGuarded(deps, file, context, file.state === 'published' ? DERIVE : INGEST);
}

/** Makes the renditions of a photo whose original is public. */
export async function deriveRenditions(deps: JobDeps, payload: Payload, context: JobContext): Promise<void> {
  const file = await begin(deps, payload);
  if (file?.state !== 'published') return;
  if (context.isExhausted) return giveUp(deps, file);
  await runGuarded(deps, file, context, DERIVE);
}

async function begin(deps: JobDeps, { fileId, generation }: Payload): Promise<FileRow | null> {
  const file = await findFile(deps.db, fileId);
  if (file === null || file.generation !== generation) return null;
  const attempts = file.attempts + 1;
  if (file.state === 'received')
    return transition(deps.db, { id: fileId, from: 'received', generation }, 'checking', { attempts });
  if (file.state !== 'checking' && file.state !== 'published') return null;
  return updateFile(deps.db, { id: fileId, from: file.state, generation }, { attempts });
}

async function runGuarded(
  deps: JobDeps,
  file: FileRow,
  context: JobContext,
  steps: readonly Step<IngestWork>[],
): Promise<void> {
  const left = Math.max(
    0,
    (file.deadline_at?.getTime() ?? Number.POSITIVE_INFINITY) - deps.clock.now().getTime(),
  );
  const signal = AbortSignal.any([
    context.signal,
    ...(Number.isFinite(left) ? [AbortSignal.timeout(left)] : []),
  ]);
  const work = newWork(deps, file, signal);
  try {
    const result = await runSteps(steps, work, {
      signal,
      show: (stage) =>
        setStage(deps.db, { id: file.id, from: work.file.state, generation: file.generation }, stage),
    });
    if (result === 'late') await undo(deps.db, file.id, work.announced);
  } catch (error) {
    await settle(work, error, context);
  } finally {
    await work.original?.catch(() => undefined);
    await work.image?.close();
  }
}

/** What an error makes of the photo: refused, asked about (once), failed, or tried again. */
async function settle(work: IngestWork, error: unknown, context: JobContext, mayAsk = true): Promise<void> {
  if (isRefusal(work, error)) return endAs(work, 'rejected', { code: error.code, message: error.message });
  const isLate = isStorageError(error, 'CONFLICT') || isStorageError(error, 'VERSION_CONFLICT');
  if (isLate && (await isOver(work))) return undo(work.deps.db, work.file.id, work.announced);
  if (isToBeTriedAgain(work, error, context)) throw error;
  const { deps, file } = work;
  deps.log.error({ err: error, fileId: file.id, stage: file.stage }, 'a photo could not be processed');
  if (mayAsk && isStorageError(error) && UNCHECKED.has(error.code) && work.file.state === 'checking')
    return askPerson(work, error, context);
  const code = isStorageError(error) && EXPLAINED.has(error.code) ? error.code : 'PROCESSING_FAILED';
  await endAs(work, 'failed', { code, message: NOT_PROCESSED });
}

function isRefusal(work: IngestWork, error: unknown): error is StorageError {
  return isStorageError(error) && REFUSALS.has(error.code) && work.file.state === 'checking';
}

function isToBeTriedAgain(work: IngestWork, error: unknown, context: JobContext): boolean {
  if (context.signal.aborted) return true;
  const mayHelp = isStorageError(error) && (error.retryable || error.code === 'ABORTED');
  return mayHelp && !context.isLastAttempt && work.file.attempts < MAX_ATTEMPTS;
}

/** A check is down for good. What fails on the way to the person settles the photo all the same. */
async function askPerson(work: IngestWork, error: StorageError, context: JobContext): Promise<void> {
  const message = 'It could not be checked by machine; a moderator looks at it.';
  try {
    const result = await holdUnchecked(work, { code: error.code, message });
    if (result === 'late') await undo(work.deps.db, work.file.id, work.announced);
  } catch (second) {
    await settle(work, second, context, false);
  }
}

/** Processes died over this photo again and again: it ends here. */
async function giveUp(deps: JobDeps, file: FileRow): Promise<void> {
  await endAs({ deps, file, announced: [] }, 'failed', { code: 'PROCESSING_FAILED', message: NOT_PROCESSED });
}

async function isOver(work: IngestWork): Promise<boolean> {
  const now = await findFile(work.deps.db, work.file.id);
  return now === null || now.generation !== work.file.generation || now.state !== work.file.state;
}

async function endAs(
  { deps, file, announced }: Pick<IngestWork, 'deps' | 'file' | 'announced'>,
  state: Extract<FileState, 'rejected' | 'failed'>,
  reason: Reason,
): Promise<void> {
  const ended = await deps.db.transaction().execute(async (trx) => {
    const locked = await lockFileAndItem(trx, file.id);
    if (locked?.generation !== file.generation || locked.state !== file.state) return null;
    return end(trx, locked, state, reason, { mayBeWritten: false });
  });
  if (ended === null) await undo(deps.db, file.id, announced);
}
