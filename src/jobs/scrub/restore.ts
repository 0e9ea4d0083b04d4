import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { noteSeen, type StoredObject } from '../../db/scrub.ts';
import { type ErrorCode, isStorageError } from '../../domain/errors.ts';
import { objectKey } from '../../domain/keys.ts';
import { acceptObject, lockForMending } from '../../services/damage.ts';
import type { Damage } from './damage.ts';
import type { ScrubDeps } from './deps.ts';
import { faultOfDocument } from './document.ts';
import { expectationOf } from './expectation.ts';

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

/**
 * Looks for the bytes in the backup sources; what has not the right hash is no copy, whoever gives it. Who did not answer, or
 * not for all it has, is named: the next scrub asks again, and nothing is given up before.
 */
export async function findCopy(deps: ScrubDeps, object: StoredObject, signal: AbortSignal): Promise<Search> {
  const unasked: Unasked[] = [];
  for (const source of deps.backups) {
    try {
      for await (const body of source.copiesOf(objectKey(object.key), signal)) {
        const bytes = await readUpTo(body, limitOf(deps, object));
        if (bytes !== null && (await isRight(deps, object, bytes)))
          return { copy: { bytes, from: source.name }, unasked };
      }
    } catch (error) {
      if (!isStorageError(error) || !NO_ANSWER.has(error.code)) throw error;
      unasked.push({ source: source.name, code: error.code });
      deps.log.warn({ err: error, source: source.name, key: object.key }, 'a backup source does not answer');
    }
  }
  return { copy: null, unasked };
}

const NO_ANSWER: ReadonlySet<ErrorCode> = new Set(['STORAGE_UNAVAILABLE', 'OBJECT_ARCHIVED']);

/**
 * Puts the right bytes in their place, under the file's lock. False when the file has moved on meanwhile: then nothing
 * is written, so nothing deleted comes back.
 */
export async function putRight(
  deps: ScrubDeps,
  { object, info }: Pick<Damage, 'object' | 'info'>,
  bytes: Uint8Array,
): Promise<boolean> {
  const { key } = object;
  const labels = expectationOf(object)?.labels ?? null;
  // What is missing comes back where it was, to the archive if it was archived: its file says so.
  const storageClass = info?.storageClass ?? object.storageClass;
  return deps.db.transaction().execute(async (trx) => {
    const file = await lockForMending(trx, object);
    if (file === null) return false;
    const stored = await deps.primary.uploadFile(bytes, {
      key,
      contentType: labels?.contentType ?? 'application/octet-stream',
      storageClass,
    });
    await noteSeen(trx, [{ key, etag: stored.etag }]);
    await acceptObject(trx, file, key);
    return true;
  });
}

async function isRight(deps: ScrubDeps, object: StoredObject, bytes: Uint8Array): Promise<boolean> {
  const expected = expectationOf(object);
  if (expected === null) return false;
  if (expected.sha256 === null) return (await faultOfDocument(deps, object, once(bytes))) === null;
  return createHash('sha256').update(bytes).digest('hex') === expected.sha256;
}

/** A copy that is longer than it may be is not read to its end. Bytes. */
function limitOf(deps: ScrubDeps, object: StoredObject): number {
  const { maxFileSize } = deps.limits;
  return expectationOf(object)?.bytes ?? maxFileSize + ENCRYPTION_BYTES + Math.ceil(maxFileSize / 1000);
}

/** What encryption adds to a document, beside 0.1 % (`services/document-crypto.ts`). */
const ENCRYPTION_BYTES = 4096;

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

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
