import { findFile } from '../../db/files.ts';
import type { FileRow } from '../../db/schema.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { isErrorCode, StorageError } from '../../domain/errors.ts';
import { isPublic, isSettled } from '../../domain/file-state.ts';
import type { ServiceDeps } from '../deps.ts';

/**
 * Waits until the file is public, waits for a person, or has come to an end, at most `waitMs`. Told by the
 * database, so a worker in another process is seen as soon as it commits. Returns the row as it is then.
 */
export async function waitForFile(
  deps: Pick<ServiceDeps, 'db' | 'events'>,
  id: string,
  waitMs: number,
  signal?: AbortSignal,
): Promise<FileRow> {
  let wake: () => void = () => undefined;
  const stop = deps.events.subscribe({ fileId: id }, () => wake());
  const until = Date.now() + waitMs;
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const file = await findFile(deps.db, id);
      if (file === null) throw new StorageError('NOT_FOUND', 'There is no such photo.');
      const left = until - Date.now();
      if (isOver(file) || left <= 0 || signal?.aborted === true) return file;
      await raceTimeout(changed, left, signal);
    }
  } finally {
    stop();
  }
}

/** The refusal that a row stands for, or null when it is none. */
export function refusalOf(file: FileRow): StorageError | null {
  const isGone = file.state === 'deleting' || file.state === 'deleted';
  if (!isGone && file.state !== 'rejected' && file.state !== 'failed') return null;
  const unexplained: ErrorCode = isGone ? 'NOT_FOUND' : 'PROCESSING_FAILED';
  const code = file.reason_code !== null && isErrorCode(file.reason_code) ? file.reason_code : unexplained;
  return new StorageError(code, file.reason_message ?? undefined, { details: { fileId: file.id } });
}

function isOver({ state }: FileRow): boolean {
  return isPublic(state) || isSettled(state) || state === 'deleting';
}

async function raceTimeout(promise: Promise<void>, ms: number, signal?: AbortSignal): Promise<void> {
  let finish: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const timer = setTimeout(finish, ms);
  signal?.addEventListener('abort', finish, { once: true });
  try {
    await Promise.race([promise, ended]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', finish);
  }
}
