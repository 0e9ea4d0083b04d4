import { open, stat, unlink } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { StorageError } from '#src/domain/errors.ts';

/** The work under a lock takes milliseconds: one as old as this belongs to a process that died. Milliseconds. */
const STALE_MS = 10_000;
const WAIT_MS = 20;
const LIMIT_MS = 20_000;

/** Runs `work` while no other process of this machine does, by a file that only one can make. */
export async function withLockFile<T>(file: string, work: () => Promise<T>): Promise<T> {
  await take(file);
  try {
    return await work();
  } finally {
    await unlink(file).catch(() => undefined);
  }
}

async function take(file: string): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  for (;;) {
    try {
      await (await open(file, 'wx', 0o600)).close();
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    if (Date.now() > deadline)
      throw new StorageError('KEYS_UNAVAILABLE', `${file} is held by another process.`);
    if (await isStale(file)) await unlink(file).catch(() => undefined);
    else await pause(WAIT_MS);
  }
}

async function isStale(file: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(file)).mtimeMs > STALE_MS;
  } catch {
    // Gone meanwhile: the next attempt tells.
    return false;
  }
}
