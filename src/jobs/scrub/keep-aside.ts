import { createHash, randomBytes } from 'node:crypto';
import { noteAside } from '../../db/object-checks.ts';
import { announceObjects, settleObjects } from '../../db/objects.ts';
import type { Db } from '../../db/schema.ts';
import type { StoredObject } from '../../db/scrub.ts';
import { fileId } from '../../domain/ids.ts';
import { type ObjectKey, objectKey, parsePublicKey, quarantineViewKey } from '../../domain/keys.ts';
import { lockForMending } from '../../services/damage.ts';
import type { ScrubDeps } from './deps.ts';

/**
 * Names a place in quarantine for the bytes that lie at a public key, in a transaction of its own: a process that dies
 * leaves nothing unnamed. Another one each time, since a key never has two contents. Null for what is not public, or has
 * moved on.
 */
export async function announceAside({ db }: ScrubDeps, object: StoredObject): Promise<ObjectKey | null> {
  const parts = parsePublicKey(object.key);
  if (parts === null) return null;
  const aside = quarantineViewKey(fileId(object.fileId), randomBytes(6).toString('hex'), parts.format);
  return db.transaction().execute(async (trx) => {
    if ((await lockForMending(trx, object)) === null) return null;
    await announceObjects(trx, object.fileId, [aside]);
    return aside;
  });
}

/** Copies the bytes there, exactly those that have this ETag. Under the file's lock. Errors: those of the store. */
export async function copyAside(
  { primary }: ScrubDeps,
  trx: Db,
  { key, etag }: { readonly key: string; readonly etag: string },
  aside: ObjectKey,
  signal: AbortSignal,
): Promise<void> {
  await primary.copyFile(objectKey(key), aside, { storageClass: 'STANDARD', ifMatch: etag, signal });
  const { body, info } = await primary.downloadFile(aside, { signal });
  const hash = createHash('sha256');
  for await (const chunk of body) hash.update(chunk);
  await settleObjects(trx, [aside], { [aside]: info.bytes });
  await noteAside(trx, aside, { of: key, sha256: hash.digest('hex'), etag: info.etag });
}
