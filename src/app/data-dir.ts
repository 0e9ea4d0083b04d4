import { constants } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { StorageError } from '../domain/errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'its file system is read-only',
  ENOTDIR: 'there is a file in its path',
  EEXIST: 'it is a file',
  ENOSPC: 'the disk is full',
};

/**
 * Makes the data folder when it is missing.
 * @throws StorageError INVALID_CONFIGURATION, naming DATA_DIR, when nothing can be written there.
 */
export async function prepareDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true });
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new StorageError(
      'INVALID_CONFIGURATION',
      `DATA_DIR ${dataDir} cannot be used: ${REASONS[code] ?? `the system says ${code}`}. Set DATA_DIR to a folder that this user can write to.`,
      { cause: error },
    );
  }
}
