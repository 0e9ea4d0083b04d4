import { createHash, randomBytes } from 'node:crypto';
import { findAside, noteAside } from '../../db/object-checks.ts';
import { announceObjects, settleObjects } from '../../db/objects.ts';
import type { Db } from '../../db/schema.ts';
import type { StoredObject } from '../../db/scrub.ts';
import { fileId } from '../../domain/ids.ts';
import { type ObjectKey, objectKey, parsePublicKey, quarantineViewKey } from '../../domain/keys.ts';
import type { ObjectInfo } from '../../ports/object-store.ts';
import { lockForMending } from '../../services/damage.ts';
import { undo } from '../../services/removal.ts';
import type { Damage } from './damage.ts';
import type { ScrubDeps } from './deps.ts';
import { looksAsTold } from './told.ts';

/** Bytes that were found in the place of a public object, in quarantine. */
export interface Aside {
  readonly key: string;
  /** What its row is to say; null when it says so already. */
  readonly isNew: { readonly bytes: number; readonly sha256: string; readonly etag: string } | null;
}

/**
 * Copies the bytes that lie at a public key into quarantine, exactly those that were looked at. Without a lock, as it may take
 * long; under a key that is named before, so that a process which dies leaves nothing unnamed. What was kept when it was told
 * of, and looks as it did then, is not copied once more. Null for what is not public, not there, or has moved on. Errors: those
 * of the store.
 */
export async function keepAside(
  deps: ScrubDeps,
  { object, finding, info }: Damage,
  signal: AbortSignal,
): Promise<Aside | null> {
  if (info === null || finding.kind === 'missing') return null;
  const kept = looksAsTold({ object, finding, info }) ? await findAside(deps.db, object.key) : null;
  if (kept !== null) return { key: kept, isNew: null };
  const key = await announceAside(deps, object);
  if (key === null) return null;
  try {
    return { key, isNew: await copyAside(deps, info, key, signal) };
  } catch (error) {
    await undo(deps.db, object.fileId, [key]);
    throw error;
  }
}

/** The row of the copy, in the transaction that withdraws what it was made of. Under the file's lock. */
export async function settleAside(trx: Db, of: string, { key, isNew }: Aside): Promise<void> {
  if (isNew === null) return;
  const { bytes, sha256, etag } = isNew;
  await settleObjects(trx, [key], { [key]: bytes });
  await noteAside(trx, key, { of, sha256, etag });
}

/** Removes a copy that nothing came of. */
export async function dropAside({ db }: ScrubDeps, fileId: string, { key, isNew }: Aside): Promise<void> {
  if (isNew !== null) await undo(db, fileId, [key]);
}

/** Another key each time, since a key never has two contents. */
async function announceAside({ db }: ScrubDeps, object: StoredObject): Promise<ObjectKey | null> {
  const parts = parsePublicKey(object.key);
  if (parts === null) return null;
  const aside = quarantineViewKey(fileId(object.fileId), randomBytes(6).toString('hex'), parts.format);
  return db.transaction().execute(async (trx) => {
    if ((await lockForMending(trx, object)) === null) return null;
    await announceObjects(trx, object.fileId, [aside]);
    return aside;
  });
}

async function copyAside(
  { primary }: ScrubDeps,
  { key, etag }: ObjectInfo,
  aside: ObjectKey,
  signal: AbortSignal,
): Promise<NonNullable<Aside['isNew']>> {
  await primary.copyFile(objectKey(key), aside, { storageClass: 'STANDARD', ifMatch: etag, signal });
  const { body, info } = await primary.downloadFile(aside, { signal });
  const hash = createHash('sha256');
  for await (const chunk of body) hash.update(chunk);
  return { bytes: info.bytes, sha256: hash.digest('hex'), etag: info.etag };
}
