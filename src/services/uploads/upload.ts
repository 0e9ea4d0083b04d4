import { Readable } from 'node:stream';
import { findFile } from '../../db/files.ts';
import type { FileRow } from '../../db/schema.ts';
import type { Principal } from '../../domain/access.ts';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import { fileId } from '../../domain/ids.ts';
import type { IncomingFile, UploadOptions } from '../contracts.ts';
import type { ServiceDeps } from '../deps.ts';
import type { UploadAnswer } from '../photo.ts';
import { toPhotos } from '../photos/photo-view.ts';
import { undo } from '../removal.ts';
import { abandon } from './abandon.ts';
import { type Completed, complete } from './complete.ts';
import { once } from './idempotency.ts';
import { receive, type StoredUpload } from './receive.ts';
import { type ReservationRequest, reserve } from './reserve.ts';
import { storedKey } from './stored-key.ts';
import { refusalOf, waitForFile } from './wait.ts';

/** Streams bytes in after a reservation: how the kinds differ (documents are encrypted on the way). */
export type Receive = (
  file: FileRow,
  body: Readable | Uint8Array,
  signal?: AbortSignal,
) => Promise<StoredUpload>;

/**
 * A whole upload in one call: reserve, receive, complete, wait. Whatever fails before it is complete leaves nothing
 * but the tombstone that explains it.
 */
export async function upload(
  deps: ServiceDeps,
  who: Principal,
  request: Pick<ReservationRequest, 'kind' | 'target'>,
  file: IncomingFile,
  options: UploadOptions,
  receiveBytes: Receive = (row, body, signal) => receive(deps, row, body, signal),
): Promise<UploadAnswer> {
  const take = (reserved?: Reserved) => takeIn(deps, who, request, file, options, receiveBytes, reserved);
  if (options.idempotencyKey === undefined) {
    const { completed } = await take();
    return answerUpload(deps, completed, options);
  }
  const until = Date.now() + options.waitMs;
  const target = 'itemId' in request.target ? request.target.itemId : request.target.userId;
  const scope = { caller: who.userId, route: `${request.kind}:${target}`, key: options.idempotencyKey };
  let duplicate = false;
  const answer = await once(deps, scope, file.body, options.waitMs, async (reserved) => {
    const { completed, stored } = await take(reserved);
    duplicate = completed.duplicate;
    return { fileId: completed.file.id, fingerprint: stored.sha256 };
  });
  const row = await findFile(deps.db, answer.fileId);
  if (row === null) throw new StorageError('NOT_FOUND', 'The photo of this idempotency key is gone.');
  const waitMs = answer.replayed ? Math.max(0, until - Date.now()) : options.waitMs;
  return answerUpload(deps, { file: row, duplicate }, { ...options, waitMs });
}

type Reserved = (fileId: string) => Promise<void>;

/** Bytes that come after the file has moved on (the sweep gave it up) go again. */
async function completeOrUndo(deps: ServiceDeps, file: FileRow, stored: StoredUpload): Promise<Completed> {
  try {
    return await complete(deps, fileId(file.id), stored);
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND')) await undo(deps.db, file.id, [storedKey(file)]);
    throw error;
  }
}

/** The answer to a completed upload: waits as long as it may, and throws what is a refusal by then. */
export async function answerUpload(
  deps: ServiceDeps,
  completed: Completed,
  options: UploadOptions,
): Promise<UploadAnswer> {
  const file = await waitForFile(deps, completed.file.id, options.waitMs, options.signal);
  const refusal = refusalOf(file);
  if (refusal !== null) throw refusal;
  const [photo] = await toPhotos(deps, [file], true);
  if (photo === undefined) throw new StorageError('NOT_FOUND', 'There is no such photo.');
  const done = file.state === 'published' || file.state === 'ready';
  return { status: done ? 'created' : 'accepted', photo, duplicate: completed.duplicate };
}

async function takeIn(
  deps: ServiceDeps,
  who: Principal,
  request: Pick<ReservationRequest, 'kind' | 'target'>,
  file: IncomingFile,
  options: UploadOptions,
  receiveBytes: Receive,
  reserved: Reserved = async () => undefined,
): Promise<{ completed: Completed; stored: StoredUpload }> {
  const row = await reserve(deps, who, {
    ...request,
    filename: file.filename,
    // What a browser calls a file that it sends along says nothing; a reservation promises what will come.
    type: null,
    bytes: file.bytes ?? null,
    sha256: null,
    seconds: deps.limits.receiveSeconds,
    formSeconds: null,
  });
  const id = fileId(row.id);
  try {
    await reserved(id);
    const stored = await receiveBytes(row, file.body, options.signal);
    return { completed: await completeOrUndo(deps, row, stored), stored };
  } catch (error) {
    if (file.body instanceof Readable) file.body.destroy();
    // Where even this fails the sweep does it.
    await abandon(deps, id, error).catch((failure: unknown) =>
      deps.log.warn({ err: failure, fileId: id }, 'a failed upload could not be removed'),
    );
    throw error;
  }
}
