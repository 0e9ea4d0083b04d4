import { sql } from 'kysely';
import type { Db } from '../schema.ts';

/** What an entry of the ledger is called that says that a restore was accepted. */
export const RESTORED = 'ledger.restored';

/** A sealed entry that says that a restore of the database was accepted. */
export interface RestoreEntry {
  readonly seq: number;
  readonly entryId: number;
  /** Of the object that it names. */
  readonly key: string;
}

/** All of them, in the order of the chain. */
export async function listRestoreEntries(db: Db): Promise<RestoreEntry[]> {
  return db
    .selectFrom('audit.entries as e')
    .innerJoin('audit.seals as s', 's.entry_id', 'e.id')
    .select(['s.seq', 's.entry_id as entryId'])
    .select(sql<string>`coalesce(e.details ->> 'key', '')`.as('key'))
    .where('e.action', '=', RESTORED)
    .orderBy('s.seq')
    .execute();
}

/** Hashes of the chain at these places, as they are stored; places without a seal are left out. */
export async function hashesAt(db: Db, places: readonly number[]): Promise<ReadonlyMap<number, Buffer>> {
  if (places.length === 0) return new Map();
  const rows = await db
    .selectFrom('audit.seals')
    .select(['seq', 'hash'])
    .where('seq', '=', sql<number>`any(${[...places]}::bigint[])`)
    .execute();
  return new Map(rows.map(({ seq, hash }) => [seq, hash]));
}
