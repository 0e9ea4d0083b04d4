import { sql } from 'kysely';
import type { FileKind, FileState } from '../domain/file-state.ts';
import type { OutputFormat, VariantName } from '../domain/renditions.ts';
import type { StorageClass } from '../domain/storage-class.ts';
import type { Db } from './schema.ts';

/** A live object with all that the rows know of it. */
export interface StoredObject {
  readonly key: string;
  readonly fileId: string;
  /** As it was when its bytes were last right. */
  readonly etag: string | null;
  readonly sha256: string | null;
  readonly damagedAt: Date | null;
  /** When its bytes were last read, if the store has not given them since. */
  readonly unreadSince: Date | null;
  /** What was told of its damage, and when. */
  readonly told: string | null;
  readonly toldAt: Date | null;
  /** The public object in whose place its bytes lay; null for all others. */
  readonly asideOf: string | null;
  readonly kind: FileKind;
  readonly ownerId: string;
  readonly fileState: FileState;
  /** As its row has it. */
  readonly storedBytes: number;
  readonly uploadBytes: number | null;
  readonly uploadSha256: string | null;
  readonly uploadEtag: string | null;
  /** Where it was when its row last learned of it. */
  readonly storageClass: StorageClass;
  /** Null for what is no rendition: uploads and documents. */
  readonly variant: {
    readonly name: VariantName;
    readonly format: OutputFormat;
    readonly bytes: number;
    readonly sha256: string;
  } | null;
}

/** Where a walk through all live objects goes on. */
export type Walk =
  /** By key: all that lie behind `after`, up to `until`; null: to the end. */
  | { readonly by: 'key'; readonly after: string; readonly until: string | null }
  /** Of those that were looked at, the ones unread since `before`, longest unread first. Reading takes them out of it. */
  | { readonly by: 'age'; readonly before: Date };

export async function listLiveObjects(db: Db, walk: Walk, limit: number): Promise<StoredObject[]> {
  const query = liveObjects(db);
  const rows =
    walk.by === 'key'
      ? query
          .where('objects.key', '>', walk.after)
          .$if(walk.until !== null, (behind) => behind.where('objects.key', '<=', walk.until ?? ''))
          .orderBy('objects.key')
      : query
          .where('object_checks.checked_at', '<', walk.before)
          .orderBy('object_checks.checked_at')
          .orderBy('object_checks.key');
  return (await rows.limit(limit).execute()).map(toObject);
}

export async function listLiveObjectsOf(db: Db, fileId: string): Promise<StoredObject[]> {
  const rows = await liveObjects(db).where('objects.file_id', '=', fileId).orderBy('objects.key').execute();
  return rows.map(toObject);
}

/** Null when no row stands on it any more. */
export async function findLiveObject(db: Db, key: string): Promise<StoredObject | null> {
  const row = await liveObjects(db).where('objects.key', '=', key).executeTakeFirst();
  return row === undefined ? null : toObject(row);
}

/** How many live objects there are, by their counters (`rollups.ts`), and the time by the clock that stamps them. */
export async function surveyLive(db: Db): Promise<{ count: number; at: Date }> {
  return db
    .selectFrom((eb) =>
      eb
        .selectFrom('storage_totals')
        .select('objects')
        .unionAll(eb.selectFrom('storage_deltas').select('objects'))
        .as('counted'),
    )
    .select([
      sql<number>`coalesce(sum(objects), 0)::bigint`.as('count'),
      sql<Date>`clock_timestamp()`.as('at'),
    ])
    .executeTakeFirstOrThrow();
}

/** Says of a file that something of it is damaged, or no longer; whoever watches the file is told. */
export async function warnOfDamage(
  db: Db,
  fileId: string,
  warning: string,
  isDamaged: boolean,
): Promise<void> {
  const changed = isDamaged
    ? sql<string>`warnings || to_jsonb(${warning}::text)`
    : sql<string>`warnings - ${warning}::text`;
  await db
    .updateTable('files')
    .set({ warnings: changed })
    .where('id', '=', fileId)
    .where(sql<boolean>`warnings ? ${warning}::text`, '=', !isDamaged)
    .execute();
}

function liveObjects(db: Db) {
  return db
    .selectFrom('objects')
    .innerJoin('files', 'files.id', 'objects.file_id')
    .leftJoin('variants', 'variants.key', 'objects.key')
    .leftJoin('object_checks', 'object_checks.key', 'objects.key')
    .select([
      'objects.key as key',
      'objects.file_id as fileId',
      'object_checks.etag as etag',
      'object_checks.sha256 as sha256',
      'object_checks.damaged_at as damagedAt',
      'object_checks.unread_since as unreadSince',
      'object_checks.told as told',
      'object_checks.told_at as toldAt',
      'object_checks.aside_of as asideOf',
      'files.kind as kind',
      'files.owner_id as ownerId',
      'files.state as fileState',
      'objects.bytes as storedBytes',
      'files.upload_bytes as uploadBytes',
      'files.upload_sha256 as uploadSha256',
      'files.upload_etag as uploadEtag',
      'objects.storage_class as storageClass',
      'variants.name as variantName',
      'variants.format as variantFormat',
      'variants.bytes as variantBytes',
      'variants.sha256 as variantSha256',
    ])
    .where('objects.state', '=', 'live');
}

type LiveRow = Awaited<ReturnType<ReturnType<typeof liveObjects>['execute']>>[number];

function toObject({
  variantName: name,
  variantFormat: format,
  variantBytes: bytes,
  variantSha256: sha256,
  ...object
}: LiveRow): StoredObject {
  const isVariant = name !== null && format !== null && bytes !== null && sha256 !== null;
  return { ...object, variant: isVariant ? { name, format, bytes, sha256 } : null };
}
