import { sql } from 'kysely';
import type { FileState } from '../domain/file-state.ts';
import type { StorageClass } from '../domain/storage-class.ts';
import type { Database, Db } from './schema.ts';

export interface StorageSum {
  readonly objects: number;
  readonly bytes: number;
  readonly billedBytes: number;
}

export interface StorageTotal extends StorageSum {
  /** The first two parts of the keys: `items/original`. */
  readonly prefix: string;
  readonly storageClass: StorageClass;
  /** Of the file. */
  readonly state: FileState;
}

export interface OwnerTotal {
  readonly ownerId: string;
  readonly objects: number;
  readonly bytes: number;
  readonly classes: readonly ({ readonly storageClass: StorageClass } & StorageSum)[];
}

export interface StoredTotals {
  readonly totals: readonly StorageTotal[];
  /** Those who store most, by bytes. */
  readonly owners: readonly OwnerTotal[];
}

/** Whoever folds holds it until the commit, so that a delta is folded once. */
const FOLD_LOCK = 'storage-rollups';

/**
 * Folds the changes since the last time into the totals. Whoever changes an object adds a delta and waits for nobody;
 * one that commits later is folded the next time. Resolves to how many deltas there were.
 */
export async function foldStorage(db: Db): Promise<number> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${FOLD_LOCK}, 0))`.execute(db);
  const result = await sql<{ folded: number }>`
    with folded as (delete from storage_deltas returning *),
    totals as (
      insert into storage_totals as t (prefix, storage_class, state, objects, bytes, billed_bytes)
      select prefix, storage_class, state, sum(objects), sum(bytes), sum(billed_bytes) from folded group by 1, 2, 3
      on conflict (prefix, storage_class, state) do update set objects = t.objects + excluded.objects,
        bytes = t.bytes + excluded.bytes, billed_bytes = t.billed_bytes + excluded.billed_bytes
    ),
    owners as (
      insert into storage_owners as o (owner_id, objects, bytes)
      select owner_id, sum(objects), sum(bytes) from folded group by 1
      on conflict (owner_id) do update set objects = o.objects + excluded.objects, bytes = o.bytes + excluded.bytes
    ),
    classes as (
      insert into storage_owner_classes as c (owner_id, storage_class, objects, bytes, billed_bytes)
      select owner_id, storage_class, sum(objects), sum(bytes), sum(billed_bytes) from folded group by 1, 2
      on conflict (owner_id, storage_class) do update set objects = c.objects + excluded.objects,
        bytes = c.bytes + excluded.bytes, billed_bytes = c.billed_bytes + excluded.billed_bytes
    )
    select count(*) as folded from folded
  `.execute(db);
  return result.rows[0]?.folded ?? 0;
}

/** What is stored, by the counters, as of now: changes that have committed are in it. */
export async function readStorage(db: Database, owners: number): Promise<StoredTotals> {
  return db.transaction().execute(async (trx) => {
    await foldStorage(trx);
    const totals = await trx
      .selectFrom('storage_totals')
      .selectAll()
      .where('objects', '>', 0)
      .orderBy('prefix')
      .orderBy('storage_class')
      .orderBy('state')
      .execute();
    const largest = await trx
      .selectFrom('storage_owners')
      .selectAll()
      .where('objects', '>', 0)
      .orderBy('bytes', 'desc')
      .orderBy('owner_id')
      .limit(owners)
      .execute();
    const ids = largest.map((row) => row.owner_id);
    const classes =
      ids.length === 0
        ? []
        : await trx
            .selectFrom('storage_owner_classes')
            .selectAll()
            .where('owner_id', 'in', ids)
            .where('objects', '>', 0)
            .orderBy('storage_class')
            .execute();
    return {
      totals: totals.map(toTotal),
      owners: largest.map((row) => ({
        ownerId: row.owner_id,
        objects: row.objects,
        bytes: row.bytes,
        classes: classes
          .filter((each) => each.owner_id === row.owner_id)
          .map((each) => ({ storageClass: each.storage_class, ...sumOf(each) })),
      })),
    };
  });
}

/** The same totals by counting every object: what the counters must equal. */
export async function recountStorage(db: Db): Promise<StorageTotal[]> {
  const { rows } = await sql<TotalRow>`
    select storage_prefix(o.key) as prefix, o.storage_class, f.state, count(*) as objects,
      sum(o.bytes)::bigint as bytes, sum(billed_bytes(o.storage_class, o.bytes))::bigint as billed_bytes
    from objects o join files f on f.id = o.file_id where o.state = 'live'
    group by 1, 2, 3 order by 1, 2, 3
  `.execute(db);
  return rows.map(toTotal);
}

/** The totals of owners by counting every object, by owner. */
export async function recountOwners(db: Db): Promise<{ ownerId: string; objects: number; bytes: number }[]> {
  const { rows } = await sql<{ owner_id: string; objects: number; bytes: number }>`
    select f.owner_id, count(*) as objects, sum(o.bytes)::bigint as bytes
    from objects o join files f on f.id = o.file_id where o.state = 'live' group by 1 order by 1
  `.execute(db);
  return rows.map((row) => ({ ownerId: row.owner_id, objects: row.objects, bytes: row.bytes }));
}

interface SumRow {
  readonly objects: number;
  readonly bytes: number;
  readonly billed_bytes: number;
}
interface TotalRow extends SumRow {
  readonly prefix: string;
  readonly storage_class: StorageClass;
  readonly state: FileState;
}

function toTotal(row: TotalRow): StorageTotal {
  return { prefix: row.prefix, storageClass: row.storage_class, state: row.state, ...sumOf(row) };
}

function sumOf(row: SumRow): StorageSum {
  return { objects: row.objects, bytes: row.bytes, billedBytes: row.billed_bytes };
}
