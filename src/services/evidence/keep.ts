import { createHash } from 'node:crypto';
import { type EvidenceMove, keepEvidenceMove } from '../../db/evidence.ts';
import { markDamaged, noteSeen } from '../../db/object-checks.ts';
import { condemnLate, condemnObjects, dropRow, settleObjects } from '../../db/objects.ts';
import { addToOutbox } from '../../db/outbox.ts';
import type { Db } from '../../db/schema.ts';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import { type ObjectKey, objectKey, parsePublicKey } from '../../domain/keys.ts';
import { mediaTypeOf } from '../../domain/renditions.ts';
import type { BackupSource } from '../../ports/backup-source.ts';
import type { ServiceDeps } from '../deps.ts';
import { publicPaths } from '../removal.ts';
import { type Copy, type Search, searchBackups } from '../storage/search-backups.ts';
import { stopWithholding, withhold } from '../storage/withhold.ts';
import type { EvidenceKeys } from './keys.ts';
import { readOriginal, type StoredBytes } from './original.ts';

export type EvidenceDeps = Pick<ServiceDeps, 'db' | 'storage' | 'log'> & {
  /** Where bytes are looked for that are not right, or not there, at their public key. */
  readonly backups: readonly BackupSource[];
};

/** What is being restored lies at its public key once it is there, so it is looked for often. */
const RESTORING_SECONDS = 60;
/** No sanitised original comes near it: a longer copy is not read to its end. */
const MAX_BYTES = 128 * 1024 * 1024;

/**
 * Brings an original into quarantine, proved by its hash, from its public key or else from a backup source, and writes down
 * how far it is. Under the lock of its file, under keys that were announced before. Errors: those of the store;
 * STORAGE_UNAVAILABLE, OBJECT_ARCHIVED when a backup source may have what was not found.
 */
export async function keepOriginal(
  deps: EvidenceDeps,
  trx: Db,
  move: EvidenceMove,
  keys: EvidenceKeys,
): Promise<void> {
  const { to, aside } = keys;
  // Before anything else: what is archived can be read at its public key from when the store has brought it back.
  await withholdOriginal(deps, move.key);
  const original = await readOriginal(deps.storage, {
    from: objectKey(move.key),
    to,
    sha256: move.sha256,
  });
  if (original.is === 'restoring')
    return keepEvidenceMove(trx, move.key, { state: 'restoring', error: null }, RESTORING_SECONDS);
  if (original.is === 'whole') {
    await copyTo(deps, trx, original, to);
    await remove(trx, move, [aside]);
    return moved(trx, move);
  }
  const found = original.is === 'missing' ? null : original;
  const search = await searchFor(deps, move);
  if (search.copy !== null) return recover(deps, trx, move, { keys, found, copy: search.copy });
  assertAsked(search, found === null ? ['STORAGE_UNAVAILABLE', 'OBJECT_ARCHIVED'] : ['STORAGE_UNAVAILABLE']);
  return found === null ? lose(deps, trx, move, keys) : hide(deps, trx, move, { keys, found, search });
}

/** What is not there needs nothing. */
async function withholdOriginal({ storage }: EvidenceDeps, key: string): Promise<void> {
  try {
    await withhold(storage, key);
  } catch (error) {
    if (!isStorageError(error, 'NOT_FOUND')) throw error;
  }
}

async function searchFor(deps: EvidenceDeps, { key, sha256 }: EvidenceMove): Promise<Search> {
  return searchBackups(deps, {
    key: objectKey(key),
    maxBytes: MAX_BYTES,
    isRight: (bytes) => sha256 === null || hashOf(bytes) === sha256,
  });
}

/** Nothing is given up while one who may have it does not answer. */
function assertAsked({ unasked }: Search, codes: readonly string[]): void {
  const missed = unasked.find(({ code }) => codes.includes(code));
  if (missed !== undefined) throw new StorageError(missed.code, undefined, { details: { unasked } });
}

/** The right bytes are the evidence; what was found in their place lies beside them. */
async function recover(
  deps: EvidenceDeps,
  trx: Db,
  move: EvidenceMove,
  { keys, found, copy }: { keys: EvidenceKeys; found: StoredBytes | null; copy: Copy },
): Promise<void> {
  const { to, aside } = keys;
  const about = { fileId: move.file_id, key: to, from: move.key, source: copy.from, alarm: 'damaged' };
  deps.log.error(about, 'evidence was changed or missing, and comes from a backup source');
  if (found !== null) await copyTo(deps, trx, found, aside);
  const parts = parsePublicKey(move.key);
  const { bytes, etag } = await deps.storage.uploadFile(copy.bytes, {
    key: to,
    contentType: parts === null ? 'application/octet-stream' : mediaTypeOf(parts.format),
    storageClass: 'STANDARD',
  });
  await settle(trx, to, { bytes, etag, sha256: hashOf(copy.bytes) });
  await remove(trx, move, found === null ? [aside] : []);
  await moved(trx, move);
}

/**
 * Nobody who answers has the right bytes. What was found is kept, and the public one is hidden: an earlier version that
 * cannot be read now (it is archived) stays for as long as the store keeps it.
 */
async function hide(
  deps: EvidenceDeps,
  trx: Db,
  move: EvidenceMove,
  { keys, found, search }: { keys: EvidenceKeys; found: StoredBytes; search: Search },
): Promise<void> {
  const { key, file_id: fileId, sha256 } = move;
  const { to, aside } = keys;
  const { unasked } = search;
  deps.log.error({ fileId, key: to, from: key, unasked, alarm: 'damaged' }, 'evidence is not what it was');
  // The hash of the right bytes is kept: the scrub goes on looking for them.
  await copyTo(deps, trx, { ...found, sha256: sha256 ?? found.sha256 }, to);
  await markDamaged(trx, to);
  await deps.storage.hideFile(key);
  await dropRow(trx, key);
  await withdraw(trx, move, [aside]);
  await moved(trx, move);
}

/** All were asked, and nobody has it. Its row stays while the hold is in force: the database forgets no evidence. */
async function lose({ log }: EvidenceDeps, trx: Db, move: EvidenceMove, keys: EvidenceKeys): Promise<void> {
  const { key, file_id: fileId } = move;
  log.error({ fileId, key: keys.to, from: key, alarm: 'lost' }, 'evidence is lost');
  await withdraw(trx, move, [keys.to, keys.aside]);
  await keepEvidenceMove(trx, key, { state: 'lost', error: 'NOT_FOUND' }, 0);
}

/** The very bytes that were read, wherever they lie now. Their hash is kept, so that the scrub watches over them. */
async function copyTo(deps: EvidenceDeps, trx: Db, stored: StoredBytes, to: ObjectKey): Promise<void> {
  const { key, etag, sha256 } = stored;
  const info =
    key === to
      ? await deps.storage.fileInfo(to)
      : await deps.storage.copyFile(key, to, { storageClass: 'STANDARD', ifMatch: etag });
  if (key !== to) await stopWithholding(deps.storage, to);
  await settle(trx, to, { ...info, sha256 });
}

async function settle(
  trx: Db,
  key: ObjectKey,
  { bytes, etag, sha256 }: { readonly bytes: number; readonly etag: string; readonly sha256: string },
): Promise<void> {
  await settleObjects(trx, [key], { [key]: bytes });
  await noteSeen(trx, [{ key, etag, sha256 }]);
}

/** The public one goes, in every version; caches forget it, and a probe shows so. */
async function remove(trx: Db, move: EvidenceMove, unused: readonly string[]): Promise<void> {
  const { key, file_id: fileId } = move;
  const keys = [...(await condemnObjects(trx, [key])), ...(await condemnLate(trx, fileId, unused))];
  await addToOutbox(trx, 'delete-objects', { fileId, keys, paths: publicPaths([{ key }]) });
}

/** As `remove`, but nothing that the store keeps of the public one goes. */
async function withdraw(trx: Db, move: EvidenceMove, unused: readonly string[]): Promise<void> {
  const { key, file_id: fileId } = move;
  const keys = await condemnLate(trx, fileId, unused);
  await addToOutbox(trx, 'delete-objects', { fileId, keys, paths: publicPaths([{ key }]) });
}

function moved(trx: Db, { key }: EvidenceMove): Promise<void> {
  return keepEvidenceMove(trx, key, { state: 'moved', error: null }, 0);
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
