import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockFile } from '../../db/files.ts';
import { announceObjects, isWriting } from '../../db/objects.ts';
import type { Database, FileRow } from '../../db/schema.ts';
import { type ErrorCode, isStorageError, StorageError } from '../../domain/errors.ts';
import { type FileId, fileId } from '../../domain/ids.ts';
import { type ObjectKey, receivedKey, receivedPrefix, uploadKey } from '../../domain/keys.ts';
import type { ObjectInfo } from '../../ports/object-store.ts';
import type { ServiceDeps } from '../deps.ts';
import { undo } from '../removal.ts';
import { abandon } from './abandon.ts';
import { assertLength, assertSha256, checkCopy } from './announced.ts';
import { lengthOf, listParts, type Part, readParts } from './parts.ts';
import type { StoredUpload } from './receive.ts';

type Deps = Pick<ServiceDeps, 'db' | 'storage' | 'limits'>;

/** An upload with the place where it lies. */
export interface PlacedUpload extends StoredUpload {
  readonly key: ObjectKey;
}

/** Who has not taken a file over in this time has died, or is slow enough for another to try. */
const TAKING_SECONDS = 30;
const LOOK_AGAIN_MS = 100;
/** How often bytes that are replaced while they are taken over are taken anew. */
const TRIES = 3;

/** Codes that refuse what has arrived: it is removed, and its place is free. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set(['FILE_TOO_LARGE', 'UPLOAD_MISMATCH', 'UNSUPPORTED_TYPE']);

/**
 * Takes over what has arrived for a reservation: what a form brought to the store past us, or the parts of a resumable
 * upload. Its bytes are put together where no form of ours reaches, each time under another key, so that whoever sends
 * again, or tells of it again, changes nothing of them. Null when the file has moved on meanwhile.
 * Errors: UPLOAD_INCOMPLETE when nothing has arrived, or not all; FILE_TOO_LARGE, UPLOAD_MISMATCH and UNSUPPORTED_TYPE
 * when it is not what was announced, which removes it; CONFLICT when it is replaced again and again.
 */
export async function takeArrived(deps: Deps, file: FileRow): Promise<PlacedUpload | null> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const posted = file.form_expires_at === null ? null : await postedObject(deps, file);
      return posted === null ? await joinParts(deps, file) : await copyPosted(deps, file, posted);
    } catch (error) {
      if (isStorageError(error) && REFUSALS.has(error.code)) await abandon(deps, fileId(file.id), error);
      if (!isStorageError(error, 'VERSION_CONFLICT')) throw error;
      if (attempt >= TRIES)
        throw new StorageError('CONFLICT', 'The bytes changed while the upload was being completed.');
    }
  }
}

async function postedObject(deps: Deps, file: FileRow): Promise<ObjectInfo | null> {
  try {
    return await deps.storage.fileInfo(uploadKey(fileId(file.id)));
  } catch (error) {
    if (isStorageError(error, 'NOT_FOUND')) return null;
    throw error;
  }
}

/** Pinned to its ETag by the copy, read once by what is checked of the copy. */
async function copyPosted(deps: Deps, file: FileRow, posted: ObjectInfo): Promise<PlacedUpload | null> {
  assertLength(file, posted.bytes, deps.limits.maxFileSize);
  return atNewKey(deps, file, async (key) => {
    const copy = await deps.storage.copyFile(posted.key, key, { ifMatch: posted.etag });
    const { body } = await deps.storage.downloadFile(key, { ifMatch: copy.etag });
    return { ...copy, sha256: await checkCopy(file, body) };
  });
}

async function joinParts(deps: Deps, file: FileRow): Promise<PlacedUpload | null> {
  const parts = file.claimed_bytes === null ? [] : await listParts(deps, fileId(file.id));
  if (file.claimed_bytes === null || lengthOf(parts) !== file.claimed_bytes)
    throw new StorageError('UPLOAD_INCOMPLETE', 'The bytes of this upload have not all arrived.');
  return atNewKey(deps, file, (key) => join(deps, file, key, parts));
}

async function join(
  deps: Deps,
  file: FileRow,
  key: ObjectKey,
  parts: readonly Part[],
): Promise<StoredUpload> {
  const stored = await deps.storage.uploadFile(() => readParts(deps, parts), {
    key,
    contentType: 'application/octet-stream',
    access: 'private',
    contentLength: lengthOf(parts),
  });
  assertSha256(file, stored.sha256);
  return stored;
}

/** Has a new key written, by one at a time for a file; what fails leaves nothing there. */
async function atNewKey(
  deps: Deps,
  file: FileRow,
  write: (key: ObjectKey) => Promise<StoredUpload>,
): Promise<PlacedUpload | null> {
  const id = fileId(file.id);
  const key = receivedKey(id, randomBytes(8).toString('hex'));
  if (!(await untilAlone(deps.db, id, key))) return null;
  try {
    const { bytes, sha256, etag } = await write(key);
    return { key, bytes, sha256, etag };
  } catch (error) {
    await undo(deps.db, id, [key]);
    throw error;
  }
}

/** Names the key once nobody else is taking the file over. False when the file is no longer pending: somebody did. */
async function untilAlone(db: Database, id: FileId, key: ObjectKey): Promise<boolean> {
  for (;;) {
    const turn = await db.transaction().execute(async (trx) => {
      const file = await lockFile(trx, id);
      if (file?.state !== 'pending') return 'over';
      if (await isWriting(trx, id, receivedPrefix(id), TAKING_SECONDS)) return 'wait';
      await announceObjects(trx, id, [key]);
      return 'ours';
    });
    if (turn !== 'wait') return turn === 'ours';
    await sleep(LOOK_AGAIN_MS);
  }
}
