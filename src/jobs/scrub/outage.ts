import { listReadLast } from '../../db/object-checks.ts';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import { objectKey } from '../../domain/keys.ts';
import type { ScrubDeps } from './deps.ts';

/** Tells a store that does not answer from objects that it does not give. */
export interface OutageWatch {
  /** The store gave an object, or said something of it. */
  answered(): void;
  /** It did not. Errors: STORAGE_UNAVAILABLE when it is the store that fails. */
  failed(): Promise<void>;
  /** To be called before failures are believed. Errors: as above. */
  settle(): Promise<void>;
}

/** Failures without an answer between them, after which the store itself is asked. */
const IN_A_ROW = 10;
/** Objects that it gave before, each in trouble for reasons of its own perhaps: one of them will do. */
const PROBES = 3;

/** Objects may be out of reach by the thousand (a lost disk, a rule of the bucket) while the store is well. */
export function createOutageWatch(deps: Pick<ScrubDeps, 'db' | 'primary'>, signal: AbortSignal): OutageWatch {
  let inARow = 0;
  let asked: Promise<void> | null = null;
  const ask = async () => {
    asked ??= assertAnswers(deps, signal).finally(() => {
      asked = null;
    });
    await asked;
    inARow = 0;
  };
  return {
    answered() {
      inARow = 0;
    },
    async failed() {
      inARow += 1;
      if (inARow >= IN_A_ROW) await ask();
    },
    async settle() {
      if (inARow > 0) await ask();
    },
  };
}

/** A store answers when it is there, and gives one byte of an object that it gave before, or says why not. */
async function assertAnswers(
  { db, primary }: Pick<ScrubDeps, 'db' | 'primary'>,
  signal: AbortSignal,
): Promise<void> {
  await primary.ping(signal);
  const keys = await listReadLast(db, PROBES);
  for (const key of keys) if (await answersFor(primary, key, signal)) return;
  if (keys.length > 0) throw new StorageError('STORAGE_UNAVAILABLE');
}

async function answersFor(primary: ScrubDeps['primary'], key: string, signal: AbortSignal): Promise<boolean> {
  try {
    const { body } = await primary.downloadFile(objectKey(key), { range: { start: 0, end: 0 }, signal });
    body.destroy();
    return true;
  } catch (error) {
    if (!isStorageError(error) || error.code === 'ABORTED') throw error;
    return error.code !== 'STORAGE_UNAVAILABLE';
  }
}
