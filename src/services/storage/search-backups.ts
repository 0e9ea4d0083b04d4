import type { Readable } from 'node:stream';
import { type ErrorCode, isStorageError } from '../../domain/errors.ts';
import type { ObjectKey } from '../../domain/keys.ts';
import type { BackupSource } from '../../ports/backup-source.ts';
import type { Log } from '../../ports/log.ts';

/** The bytes of an object as they should be. */
export interface Copy {
  readonly bytes: Uint8Array;
  /** Who had it. */
  readonly from: string;
}

/** A source that could not be asked for all it has: it may have the bytes all the same. */
export interface Unasked {
  readonly source: string;
  /** STORAGE_UNAVAILABLE: it did not answer; OBJECT_ARCHIVED: it has copies that cannot be read now. */
  readonly code: ErrorCode;
}

export interface Search {
  /** Null when none of those who answered has the bytes. */
  readonly copy: Copy | null;
  readonly unasked: readonly Unasked[];
}

export interface Wanted {
  readonly key: ObjectKey;
  /** A copy that is longer is not read to its end. */
  readonly maxBytes: number;
  readonly isRight: (bytes: Uint8Array) => boolean | Promise<boolean>;
}

const NO_ANSWER: ReadonlySet<ErrorCode> = new Set(['STORAGE_UNAVAILABLE', 'OBJECT_ARCHIVED']);

/**
 * Looks for the bytes of an object in the backup sources, one after the other; what is not right is no copy, whoever gives
 * it. Who did not answer, or not for all it has, is named.
 */
export async function searchBackups(
  { backups, log }: { readonly backups: readonly BackupSource[]; readonly log: Log },
  { key, maxBytes, isRight }: Wanted,
  signal?: AbortSignal,
): Promise<Search> {
  const unasked: Unasked[] = [];
  for (const source of backups) {
    try {
      for await (const body of source.copiesOf(key, signal)) {
        const bytes = await readUpTo(body, maxBytes);
        if (bytes !== null && (await isRight(bytes))) return { copy: { bytes, from: source.name }, unasked };
      }
    } catch (error) {
      if (!isStorageError(error) || !NO_ANSWER.has(error.code)) throw error;
      unasked.push({ source: source.name, code: error.code });
      log.warn({ err: error, source: source.name, key }, 'a backup source does not answer');
    }
  }
  return { copy: null, unasked };
}

async function readUpTo(body: Readable, limit: number): Promise<Buffer | null> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    const piece: Uint8Array = chunk;
    bytes += piece.length;
    if (bytes > limit) return null;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
