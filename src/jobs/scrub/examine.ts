import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { StoredObject } from '../../db/scrub.ts';
import { isStorageError, type StorageError } from '../../domain/errors.ts';
import { objectKey } from '../../domain/keys.ts';
import type { ObjectInfo } from '../../ports/object-store.ts';
import type { ScrubDeps } from './deps.ts';
import { faultOfDocument } from './document.ts';
import { type Expectation, expectationOf } from './expectation.ts';
import type { Throttle } from './throttle.ts';

/** What is wrong with an object. `mislabelled`: the bytes are right, what caches are told about them is not. */
export interface Finding {
  readonly kind: 'missing' | 'damaged' | 'mislabelled';
  /** For the record of the run: what was expected and what was there. */
  readonly details: Readonly<Record<string, unknown>>;
}

export interface Examined {
  /** `unknown`: no row describes it. `archived`: described as expected, its bytes cannot be read now. */
  readonly verdict: 'right' | 'wrong' | 'archived' | 'unknown';
  readonly finding: Finding | null;
  /** Null when the object is missing, or does not say. */
  readonly info: ObjectInfo | null;
  /** Bytes that were read for it. */
  readonly bytesRead: number;
  /** The bytes were read to their end and are right. */
  readonly isRead: boolean;
  /** Of the bytes as stored, where only reading them told. */
  readonly sha256?: string;
}

export interface ExamineOptions {
  /** Read all bytes. Otherwise only of an object whose etag is not the one it had when its bytes were last right. */
  readonly deep: boolean;
  readonly throttle: Throttle;
  readonly signal: AbortSignal;
}

type Reader = Pick<ScrubDeps, 'primary' | 'security' | 'limits'>;

/** An object that is replaced while it is read is read again, so often. */
const TRIES = 3;

/**
 * Compares an object with what the rows know of it, in bounded memory. An etag is only a reason to look: the verdict
 * rests on length, hash and labels. Errors: STORAGE_UNAVAILABLE, ABORTED.
 */
export async function examine(deps: Reader, object: StoredObject, how: ExamineOptions): Promise<Examined> {
  const expected = expectationOf(object);
  if (expected === null) return { ...NOTHING, verdict: 'unknown' };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return how.deep
        ? await readAndCompare(deps, object, expected, how)
        : await look(deps, object, expected, how);
    } catch (error) {
      const found = isStorageError(error) ? findingOf(error) : null;
      if (found !== null) return { ...NOTHING, verdict: 'wrong', finding: found };
      if (!isStorageError(error, 'VERSION_CONFLICT') || attempt === TRIES) throw error;
    }
  }
}

const NOTHING = { finding: null, info: null, bytesRead: 0, isRead: false } as const;

function findingOf(error: StorageError): Finding | null {
  if (error.code === 'NOT_FOUND') return { kind: 'missing', details: {} };
  if (error.code === 'OBJECT_DAMAGED')
    return { kind: 'damaged', details: { found: error.details['finding'] } };
  return null;
}

async function look(
  deps: Reader,
  object: StoredObject,
  expected: Expectation,
  how: ExamineOptions,
): Promise<Examined> {
  const info = await deps.primary.fileInfo(object.key, how.signal);
  const finding = compare(object, expected, info);
  if (finding !== null) return { ...NOTHING, verdict: 'wrong', finding, info };
  if (info.etag === expected.etag) return { ...NOTHING, verdict: 'right', info };
  return readAndCompare(deps, object, expected, how);
}

async function readAndCompare(
  deps: Reader,
  object: StoredObject,
  expected: Expectation,
  how: ExamineOptions,
): Promise<Examined> {
  const { signal } = how;
  let file: { info: ObjectInfo; body: Readable };
  try {
    file = await deps.primary.downloadFile(objectKey(object.key), { signal });
  } catch (error) {
    if (!isStorageError(error, 'OBJECT_ARCHIVED')) throw error;
    const info = await deps.primary.fileInfo(object.key, signal);
    const finding = compare(object, expected, info);
    return { ...NOTHING, verdict: finding === null ? 'archived' : 'wrong', finding, info };
  }
  const { info, body } = file;
  const finding = compare(object, expected, info);
  if (finding?.kind === 'damaged') {
    body.destroy();
    return { ...NOTHING, verdict: 'wrong', finding, info };
  }
  const read = await readWhole(deps, object, expected, body, how).finally(() => body.destroy());
  const bad = read.finding ?? finding;
  return {
    verdict: bad === null ? 'right' : 'wrong',
    finding: bad,
    info,
    bytesRead: read.bytes,
    isRead: read.finding === null,
    ...(expected.sha256 === null && read.finding === null && { sha256: read.sha256 }),
  };
}

/** Length, labels and whose object it says it is. Null when all is as expected. */
function compare(object: StoredObject, expected: Expectation, info: ObjectInfo): Finding | null {
  if (info.key !== object.key) return { kind: 'damaged', details: { found: 'the object of another key' } };
  if (expected.bytes !== null && info.bytes !== expected.bytes)
    return { kind: 'damaged', details: { expectedBytes: expected.bytes, foundBytes: info.bytes } };
  const { labels } = expected;
  const { contentType, cacheControl } = info;
  if (labels === null || (labels.contentType === contentType && labels.cacheControl === cacheControl))
    return null;
  return { kind: 'mislabelled', details: { expected: labels, found: { contentType, cacheControl } } };
}

/** Hashes the bytes as they pass; a document whose hash nobody knows yet is opened on the way. */
async function readWhole(
  deps: Reader,
  object: StoredObject,
  expected: Expectation,
  body: Readable,
  { throttle, signal }: ExamineOptions,
): Promise<{ bytes: number; sha256: string; finding: Finding | null }> {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* metered(): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      const piece: Uint8Array = chunk;
      await throttle.take(piece.length, signal);
      hash.update(piece);
      bytes += piece.length;
      yield piece;
    }
  }
  const fault =
    expected.sha256 === null ? await faultOfDocument(deps, object, metered()) : await drained(metered());
  const sha256 = hash.digest('hex');
  if (fault !== null) return { bytes, sha256, finding: { kind: 'damaged', details: { found: fault } } };
  if (expected.sha256 === null || sha256 === expected.sha256) return { bytes, sha256, finding: null };
  const details = { expectedSha256: expected.sha256, foundSha256: sha256 };
  return { bytes, sha256, finding: { kind: 'damaged', details } };
}

async function drained(chunks: AsyncIterable<Uint8Array>): Promise<null> {
  const rest = chunks[Symbol.asyncIterator]();
  while ((await rest.next()).done !== true);
  return null;
}
