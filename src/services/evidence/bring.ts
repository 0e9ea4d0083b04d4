import { createHash } from 'node:crypto';
import type { EvidenceMove } from '../../db/evidence.ts';
import { StorageError } from '../../domain/errors.ts';
import { type ObjectKey, objectKey, parsePublicKey } from '../../domain/keys.ts';
import { mediaTypeOf } from '../../domain/renditions.ts';
import type { BackupSource } from '../../ports/backup-source.ts';
import type { ServiceDeps } from '../deps.ts';
import { type Copy, type Search, searchBackups, type Unasked } from '../storage/search-backups.ts';
import { stopWithholding, withholdIfThere } from '../storage/withhold.ts';
import type { EvidenceKeys } from './keys.ts';
import { readOriginal, type StoredBytes } from './original.ts';

export type EvidenceDeps = Pick<ServiceDeps, 'db' | 'storage' | 'log'> & {
  /** Where bytes are looked for that are not right, or not there, at their public key. */
  readonly backups: readonly BackupSource[];
};

/** An object in quarantine, as it was when it was written. `sha256`: of the bytes that belong there. */
export interface Brought {
  readonly key: ObjectKey;
  readonly bytes: number;
  readonly etag: string;
  readonly sha256: string;
}

/**
 * What lies in quarantine of an original now.
 * restoring: nothing, it is archived and the store brings it back · whole: its bytes, proved by their hash · recovered: its
 * bytes from a backup source, and what was found in their place beside them · altered: what was found, nobody who answered has
 * better · missing: nothing, and all were asked.
 */
export type Evidence =
  | { readonly is: 'restoring' }
  | { readonly is: 'whole'; readonly original: Brought }
  | {
      readonly is: 'recovered';
      readonly original: Brought;
      readonly found: Brought | null;
      readonly source: string;
    }
  | { readonly is: 'altered'; readonly found: Brought; readonly unasked: readonly Unasked[] }
  | { readonly is: 'missing' };

/** No sanitised original comes near it: a longer copy is not read to its end. */
const MAX_BYTES = 128 * 1024 * 1024;

/**
 * Brings an original into quarantine, from its public key or else from a backup source. Holds no lock, as it may take long; the
 * keys were announced before. Errors: those of the store; STORAGE_UNAVAILABLE, OBJECT_ARCHIVED when a backup source may have
 * what was not found.
 */
export async function bringEvidence(
  deps: EvidenceDeps,
  move: EvidenceMove,
  { to, aside }: EvidenceKeys,
): Promise<Evidence> {
  // Before anything else: what is archived can be read at its public key from when the store has brought it back.
  await withholdIfThere(deps.storage, move.key);
  const original = await readOriginal(deps.storage, {
    from: objectKey(move.key),
    to,
    sha256: move.sha256,
  });
  if (original.is === 'restoring') return original;
  if (original.is === 'whole') return { is: 'whole', original: await copyTo(deps, original, to) };
  const found = original.is === 'missing' ? null : original;
  const { copy, unasked } = await searchFor(deps, move);
  if (copy !== null) {
    const besides = found === null ? null : await copyTo(deps, found, aside);
    return {
      is: 'recovered',
      original: await writeTo(deps, move, copy, to),
      found: besides,
      source: copy.from,
    };
  }
  assertAsked(unasked, found === null ? ['STORAGE_UNAVAILABLE', 'OBJECT_ARCHIVED'] : ['STORAGE_UNAVAILABLE']);
  if (found === null) return { is: 'missing' };
  // The hash of the right bytes is kept: the scrub goes on looking for them.
  const kept = await copyTo(deps, found, to);
  return { is: 'altered', found: { ...kept, sha256: move.sha256 ?? found.sha256 }, unasked };
}

async function searchFor(deps: EvidenceDeps, { key, sha256 }: EvidenceMove): Promise<Search> {
  return searchBackups(deps, {
    key: objectKey(key),
    maxBytes: MAX_BYTES,
    isRight: (bytes) => sha256 === null || hashOf(bytes) === sha256,
  });
}

/** Nothing is given up while one who may have it does not answer. */
function assertAsked(unasked: readonly Unasked[], codes: readonly string[]): void {
  const missed = unasked.find(({ code }) => codes.includes(code));
  if (missed !== undefined) throw new StorageError(missed.code, undefined, { details: { unasked } });
}

/** The very bytes that were read, wherever they lie now. */
async function copyTo(
  { storage }: EvidenceDeps,
  { key, etag, sha256 }: StoredBytes,
  to: ObjectKey,
): Promise<Brought> {
  const info =
    key === to
      ? await storage.fileInfo(to)
      : await storage.copyFile(key, to, { storageClass: 'STANDARD', ifMatch: etag });
  if (key !== to) await stopWithholding(storage, to);
  return { key: to, bytes: info.bytes, etag: info.etag, sha256 };
}

async function writeTo(
  { storage }: EvidenceDeps,
  move: EvidenceMove,
  copy: Copy,
  to: ObjectKey,
): Promise<Brought> {
  const parts = parsePublicKey(move.key);
  const { bytes, etag } = await storage.uploadFile(copy.bytes, {
    key: to,
    contentType: parts === null ? 'application/octet-stream' : mediaTypeOf(parts.format),
    storageClass: 'STANDARD',
  });
  return { key: to, bytes, etag, sha256: hashOf(copy.bytes) };
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
