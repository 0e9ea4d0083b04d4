import { PUBLIC_STATES } from '../domain/file-state.ts';
import type { VariantName } from '../domain/renditions.ts';
import type { EncodedVariant } from '../ports/image-engine.ts';
import { anyOf } from './any-of.ts';
import { compiledOnce } from './compiled-once.ts';
import { jsonText } from './json.ts';
import type { Db, ListedVariant, VariantRow } from './schema.ts';

/** Names the made objects of a file. Doing it again with the same keys changes nothing. */
export async function insertVariants(
  db: Db,
  fileId: string,
  made: readonly {
    readonly key: string;
    readonly variant: Omit<EncodedVariant, 'data'>;
    readonly bytes: number;
  }[],
): Promise<void> {
  if (made.length === 0) return;
  await db
    .insertInto('variants')
    .values(
      made.map(({ key, variant, bytes }) => ({
        file_id: fileId,
        name: variant.name,
        format: variant.format,
        key,
        bytes,
        width: variant.width,
        height: variant.height,
        sha256: variant.sha256,
        report: jsonText(variant.report),
      })),
    )
    .onConflict((conflict) => conflict.columns(['file_id', 'name', 'format']).doNothing())
    .execute();
}

export async function listVariants(db: Db, fileIds: readonly string[]): Promise<VariantRow[]> {
  if (fileIds.length === 0) return [];
  return db.selectFrom('variants').selectAll().where('file_id', '=', anyOf(fileIds)).execute();
}

/** The variants of these files as lists of photos show them. */
export async function listShownVariants(db: Db, fileIds: readonly string[]): Promise<ListedVariant[]> {
  if (fileIds.length === 0) return [];
  return shownVariants(db, fileIds);
}

const shownVariants = compiledOnce((db) =>
  db
    .selectFrom('variants')
    .select(['file_id', 'name', 'format', 'key', 'bytes', 'width', 'height'])
    .where('file_id', '=', anyOf<string>([])),
);

/** Of these keys, those that are published: renditions of photos that anybody may see. Evidence at a public key is none. */
export async function listPublishedKeys(db: Db, keys: readonly string[]): Promise<Set<string>> {
  if (keys.length === 0) return new Set();
  const rows = await db
    .selectFrom('variants')
    .innerJoin('files', 'files.id', 'variants.file_id')
    .select('variants.key')
    .where('variants.key', '=', anyOf(keys))
    .where('files.state', 'in', [...PUBLIC_STATES])
    .execute();
  return new Set(rows.map(({ key }) => key));
}

/** Forgets the variants of a file, but for those whose key is in `keep`. */
export async function deleteVariants(db: Db, fileId: string, keep: readonly string[] = []): Promise<void> {
  let query = db.deleteFrom('variants').where('file_id', '=', fileId);
  if (keep.length > 0) query = query.where('key', 'not in', [...keep]);
  await query.execute();
}

/** Puts other objects in the place of one variant's, in all its formats. */
export async function replaceVariant(
  db: Db,
  fileId: string,
  name: VariantName,
  made: Parameters<typeof insertVariants>[2],
): Promise<void> {
  await db.deleteFrom('variants').where('file_id', '=', fileId).where('name', '=', name).execute();
  await insertVariants(db, fileId, made);
}

/** The original lies under another key now: into quarantine, or out of it. */
export async function rekeyOriginal(db: Db, fileId: string, key: string): Promise<void> {
  await db
    .updateTable('variants')
    .set({ key })
    .where('file_id', '=', fileId)
    .where('name', '=', 'original')
    .execute();
}

/** Puts the row of an original back, under its present key. */
export async function restoreOriginal(db: Db, original: VariantRow): Promise<void> {
  await db
    .insertInto('variants')
    .values({ ...original, report: jsonText(original.report) })
    .execute();
}
