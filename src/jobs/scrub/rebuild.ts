import { findFile, lockFile, updateFile } from '../../db/files.ts';
import { condemnObjects, settleObjects } from '../../db/objects.ts';
import { addToOutbox } from '../../db/outbox.ts';
import type { Db, FileRow, VariantRow } from '../../db/schema.ts';
import { listVariants, replaceVariant } from '../../db/variants.ts';
import { isStorageError, StorageError } from '../../domain/errors.ts';
import { userId } from '../../domain/ids.ts';
import { profileAlias } from '../../domain/keys.ts';
import { MAX_EDGE, mediaTypeOf, type VariantName } from '../../domain/renditions.ts';
import type { EncodedVariant } from '../../ports/image-engine.ts';
import { announceFor } from '../../services/announce.ts';
import { keyOf } from '../../services/publication.ts';
import { publicPaths, undo } from '../../services/removal.ts';
import { readProven } from '../../services/storage/proven.ts';
import { hash12Of } from '../ingest/work.ts';
import type { Damage } from './damage.ts';
import type { ScrubDeps } from './deps.ts';
import { putRight } from './restore.ts';

/** How a rendition came back: as it was, or under other keys because its bytes are others now. */
export type Rebuilt = 'same keys' | 'new keys' | 'late';

/**
 * Makes one variant again from the stored original, whose hash is compared first, in all its formats: `.auto` swaps the
 * extension only. Bytes that are those of the rows go to their keys. Others (the renditions were made of the upload, or by
 * another encoder) get keys that their own hashes decide, since a key never has two contents; the old ones go.
 * Null when the original is no help, or the photo is not one that has all its renditions.
 */
export async function rebuildVariant(
  deps: ScrubDeps,
  fileId: string,
  name: VariantName,
  damages: readonly Damage[],
  signal: AbortSignal,
): Promise<Rebuilt | null> {
  const file = await findFile(deps.db, fileId);
  if (file?.state !== 'ready') return null;
  const rows = await listVariants(deps.db, [fileId]);
  const wanted = rows.filter((row) => row.name === name);
  const original = rows.find((row) => row.name === 'original');
  const source = original === undefined ? null : await provenBytes(deps, original, signal);
  if (source === null) return null;
  const made = await encodeAll(deps, file, wanted, source, signal);
  const isSame = made.every(({ variant, row }) => variant.sha256 === row.sha256);
  if (!isSame) return replace(deps, file, name, made);
  for (const { variant, row } of made) {
    const damage = damages.find(({ object }) => object.key === row.key);
    if (damage !== undefined && !(await putRight(deps, damage, variant.data))) return 'late';
  }
  return 'same keys';
}

interface Made {
  readonly row: VariantRow;
  readonly variant: EncodedVariant;
}

async function provenBytes(
  deps: ScrubDeps,
  original: VariantRow,
  signal: AbortSignal,
): Promise<Uint8Array | null> {
  try {
    return (await readProven(deps.primary, original, signal)).bytes;
  } catch (error) {
    if (isStorageError(error) && NO_SOURCE.has(error.code)) return null;
    throw error;
  }
}

const NO_SOURCE: ReadonlySet<StorageError['code']> = new Set([
  'NOT_FOUND',
  'OBJECT_DAMAGED',
  'OBJECT_ARCHIVED',
]);

async function encodeAll(
  deps: ScrubDeps,
  file: FileRow,
  rows: readonly VariantRow[],
  source: Uint8Array,
  signal: AbortSignal,
): Promise<Made[]> {
  const image = await deps.images.open(source, { kind: file.kind, signal });
  try {
    const made: Made[] = [];
    for (const row of rows) {
      const { name, format } = row;
      const variant = await image.encode({ name, format, maxEdge: MAX_EDGE[name] }, signal);
      if (!variant.report.clean)
        throw new StorageError('PROCESSING_FAILED', undefined, { details: { key: row.key } });
      made.push({ row, variant });
    }
    return made;
  } finally {
    await image.close();
  }
}

async function replace(
  deps: ScrubDeps,
  file: FileRow,
  name: VariantName,
  made: readonly Made[],
): Promise<Rebuilt> {
  const contents = made.map(({ variant }) => `${variant.format}:${variant.sha256}`).join();
  const hash12 = hash12Of(deps, file, `rebuilt ${contents}`);
  const objects = made.map(({ variant }) => ({ key: keyOf(file, hash12, variant), variant }));
  const keys = objects.map(({ key }) => key);
  const premise = { id: file.id, from: 'ready', generation: file.generation } as const;
  if (!(await announceFor(deps.db, premise, keys))) return 'late';
  try {
    for (const { key, variant } of objects)
      await deps.primary.uploadFile(variant.data, { key, contentType: mediaTypeOf(variant.format) });
    const isDone = await deps.db.transaction().execute(async (trx) => {
      const locked = await lockFile(trx, file.id);
      const isStanding = locked?.state === 'ready' && locked.generation === file.generation;
      if (!isStanding || !(await areUnchanged(trx, file, name, made))) return false;
      await commitReplaced(trx, file, name, made, objects);
      return true;
    });
    if (!isDone) await undo(deps.db, file.id, keys);
    return isDone ? 'new keys' : 'late';
  } catch (error) {
    await undo(deps.db, file.id, keys);
    throw error;
  }
}

async function areUnchanged(
  db: Db,
  file: FileRow,
  name: VariantName,
  made: readonly Made[],
): Promise<boolean> {
  const now = (await listVariants(db, [file.id])).filter((row) => row.name === name);
  return now.length === made.length && made.every(({ row }) => now.some(({ key }) => key === row.key));
}

async function commitReplaced(
  db: Db,
  file: FileRow,
  name: VariantName,
  made: readonly Made[],
  objects: readonly { key: string; variant: EncodedVariant }[],
): Promise<void> {
  const rows = made.map(({ row }) => row);
  await replaceVariant(
    db,
    file.id,
    name,
    objects.map(({ key, variant }) => ({ key, variant, bytes: variant.data.length })),
  );
  await settleObjects(
    db,
    objects.map(({ key }) => key),
  );
  const condemned = await condemnObjects(
    db,
    rows.map(({ key }) => key),
  );
  const alias = file.kind === 'profile_photo' ? [profileAlias(userId(file.owner_id))] : [];
  const paths = [...publicPaths(rows), ...alias];
  await addToOutbox(db, 'delete-objects', { fileId: file.id, keys: condemned, paths });
  // Whoever watches the photo learns of its new addresses.
  await updateFile(db, { id: file.id, from: 'ready' }, { stage: file.stage });
}
