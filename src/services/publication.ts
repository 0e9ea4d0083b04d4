import { type FileChanges, lockFileAndItem, lockProfile, nextGeneration, transition } from '../db/files.ts';
import { isHeld } from '../db/holds.ts';
import { bumpPhotosVersion } from '../db/items.ts';
import { condemnObjects, listObjects, settleObjects } from '../db/objects.ts';
import { addToOutbox } from '../db/outbox.ts';
import type { Db, FileRow } from '../db/schema.ts';
import { listVariants, rekeyOriginal } from '../db/variants.ts';
import { StorageError } from '../domain/errors.ts';
import type { FileState } from '../domain/file-state.ts';
import { fileId, itemId, userId } from '../domain/ids.ts';
import { isQuarantineKey, type ObjectKey, objectKey, profileAlias, publicKey } from '../domain/keys.ts';
import type { OutputFormat, VariantName } from '../domain/renditions.ts';
import { announceFor } from './announce.ts';
import type { ServiceDeps } from './deps.ts';
import { findViewKey } from './photos/one-photo.ts';
import { hasSuccessor, replaceProfilePhotos } from './photos/profile-photos.ts';
import { REPLACED } from './photos/replaced.ts';
import { type Committed, commitTogether, type Prepared } from './prepared.ts';
import { discard, undo } from './removal.ts';
import { readProven } from './storage/proven.ts';

/** The public key of one object of a photo whose hash is known. */
export function keyOf(
  file: FileRow,
  hash12: string,
  object: { readonly name: VariantName; readonly format: OutputFormat },
): ObjectKey {
  const shared = { variant: object.name, fileId: fileId(file.id), hash12, format: object.format };
  if (file.kind === 'item_photo' && file.item_id !== null)
    return publicKey({ kind: 'item_photo', scope: itemId(file.item_id), ...shared });
  if (file.kind === 'profile_photo')
    return publicKey({ kind: 'profile_photo', scope: userId(file.owner_id), ...shared });
  throw new StorageError('INTERNAL', 'A document has no public key.', { details: { fileId: file.id } });
}

/**
 * Makes a photo public, in one transaction with what follows: its predecessor as profile photo leaves, caches of the
 * mutable alias are purged. Null when the premise (state, generation) no longer holds, or when it is a profile photo
 * whose successor was faster: then it leaves at once. The caller holds a transaction and has put the original into the
 * store under an announced key.
 */
export async function publish(
  db: Db,
  premise: { id: string; from: FileState; generation: number },
  changes: FileChanges,
): Promise<FileRow | null> {
  const published = await transition(db, premise, 'published', {
    ...changes,
    reason_code: null,
    reason_message: null,
    published_at: new Date(),
  });
  if (published === null) return null;
  if (published.item_id !== null) await bumpPhotosVersion(db, published.item_id);
  if (published.kind === 'profile_photo') {
    await lockProfile(db, published.owner_id);
    if (await hasSuccessor(db, published)) {
      await discard(db, published, REPLACED);
      return null;
    }
    await replaceProfilePhotos(db, published);
    await addToOutbox(db, 'purge', {
      fileId: published.id,
      paths: [profileAlias(userId(published.owner_id))],
    });
  }
  return published;
}

type Deps = Pick<ServiceDeps, 'db' | 'storage' | 'clock' | 'limits'>;

/** A person approved: the view in quarantine becomes the public original, renditions are made from it. */
export async function publishReviewed(
  deps: Deps,
  file: FileRow,
  alongside: (db: Db) => Promise<void>,
): Promise<FileRow | null> {
  const prepared = await preparePublication(deps, file, alongside);
  const made = prepared && (await commitTogether(deps.db, [prepared]));
  return made?.[0]?.file ?? null;
}

/** As `publishReviewed`, up to the transaction: the view is copied to its public key. Null when the photo has moved on. */
export async function preparePublication(
  deps: Deps,
  file: FileRow,
  alongside: (db: Db) => Promise<void>,
): Promise<Prepared | null> {
  const view = await findViewKey(deps.db, file);
  const [original] = (await listVariants(deps.db, [file.id])).filter(
    (variant) => variant.name === 'original',
  );
  if (view === null || original === undefined || file.hash12 === null)
    throw new StorageError('CONFLICT', 'This photo could not be checked yet, so it cannot be approved.');
  const key = keyOf(file, file.hash12, original);
  const premise = { id: file.id, from: 'in_review', generation: file.generation } as const;
  if (!(await announceFor(deps.db, premise, [key]))) return null;
  const takeBack = () => undo(deps.db, file.id, [key]);
  try {
    // What was put in the place of the view behind our back has been seen by no check.
    const { etag } = await readProven(deps.storage, { key: view, sha256: original.sha256 });
    await deps.storage.copyFile(objectKey(view), key, { ifMatch: etag });
  } catch (error) {
    await takeBack();
    throw error;
  }
  return {
    file,
    commit: (trx) => commitReviewed(deps, trx, file, { view, key }, alongside),
    undo: takeBack,
  };
}

async function commitReviewed(
  deps: Pick<Deps, 'clock' | 'limits'>,
  trx: Db,
  file: FileRow,
  { view, key }: { readonly view: string; readonly key: ObjectKey },
  alongside: (db: Db) => Promise<void>,
): Promise<Committed | null> {
  const locked = await lockFileAndItem(trx, file.id);
  if (locked?.state !== 'in_review' || locked.generation !== file.generation) return null;
  await alongside(trx);
  await rekeyOriginal(trx, file.id, key);
  await settleObjects(trx, [key]);
  const deadline = new Date(deps.clock.now().getTime() + deps.limits.workSeconds * 1000);
  const generation = await nextGeneration(trx, file.id);
  const published = await publish(
    trx,
    { id: file.id, from: 'in_review', generation },
    { stage: 'derive', deadline_at: deadline, attempts: 0 },
  );
  if (published === null) return { file: null };
  await condemnQuarantine(trx, file, view);
  await addToOutbox(trx, 'derive', { fileId: file.id, generation });
  return { file: published };
}

/** Of a held file the view alone, whose bytes are public now: an archived original may lie beside it as evidence. */
async function condemnQuarantine(db: Db, file: FileRow, view: string): Promise<void> {
  const kept = (await listObjects(db, file.id))
    .map((object) => object.key)
    .filter((key) => isQuarantineKey(key));
  const keys = await condemnObjects(db, (await isHeld(db, file.id)) ? [view] : kept);
  if (keys.length > 0) await addToOutbox(db, 'delete-objects', { fileId: file.id, keys, paths: [] });
}
