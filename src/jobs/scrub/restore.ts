import { createHash } from 'node:crypto';
import { allowIdle } from '../../db/idle.ts';
import { noteSeen } from '../../db/object-checks.ts';
import type { StoredObject } from '../../db/scrub.ts';
import { objectKey } from '../../domain/keys.ts';
import { acceptObject, lockForMending } from '../../services/damage.ts';
import { type Search, searchBackups } from '../../services/storage/search-backups.ts';
import type { Damage } from './damage.ts';
import type { ScrubDeps } from './deps.ts';
import { faultOfDocument } from './document.ts';
import { expectationOf } from './expectation.ts';

/**
 * Looks for the bytes in the backup sources; what has not the right hash is no copy, whoever gives it. Who did not answer, or
 * not for all it has, is named: the next scrub asks again, and nothing is given up before.
 */
export async function findCopy(deps: ScrubDeps, object: StoredObject, signal: AbortSignal): Promise<Search> {
  return searchBackups(
    deps,
    {
      key: objectKey(object.key),
      maxBytes: limitOf(deps, object),
      isRight: (bytes) => isRight(deps, object, bytes),
    },
    signal,
  );
}

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
    await allowIdle(trx);
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

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
