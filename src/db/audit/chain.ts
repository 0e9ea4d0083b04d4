import { sql } from 'kysely';
import type { SealedEntry } from '../../domain/audit-chain.ts';
import type { Db } from '../schema.ts';
import { micros } from './sealing.ts';

/** A place of the chain as it is stored: its hash, and the entry it seals unless that is gone. */
export interface ChainLink {
  readonly seq: number;
  readonly entryId: number;
  readonly hash: Buffer;
  readonly entry: SealedEntry | null;
}

/** Links behind a place, in order. */
export async function listLinks(db: Db, after: number, limit: number): Promise<ChainLink[]> {
  const rows = await db
    .selectFrom('audit.seals as s')
    .leftJoin('audit.entries as e', (on) =>
      on.onRef('e.at', '=', 's.entry_at').onRef('e.id', '=', 's.entry_id'),
    )
    .select(['s.seq', 's.entry_id', 's.hash', 'e.id', 'e.user_id', 'e.action', 'e.file_id'])
    .select([micros('s.sealed_at').as('sealed_us'), micros('e.at').as('at_us')])
    .select(sql<string | null>`e.details::text`.as('details'))
    .where('s.seq', '>', after)
    .orderBy('s.seq')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    seq: row.seq,
    entryId: row.entry_id,
    hash: row.hash,
    entry:
      row.id === null || row.user_id === null || row.action === null || row.details === null
        ? null
        : {
            seq: row.seq,
            sealedAtUs: row.sealed_us,
            id: row.id,
            atUs: row.at_us,
            userId: row.user_id,
            action: row.action,
            fileId: row.file_id,
            details: row.details,
          },
  }));
}

/** A place in the order of entries. */
export interface EntryPlace {
  readonly atUs: number;
  readonly id: number;
}

/** A time that is exact to the microsecond. */
export const timeOf = (us: number) =>
  sql<Date>`timestamptz 'epoch' + ${us}::bigint * interval '1 microsecond'`;

export interface Unsealed extends EntryPlace {
  /** Whether the sealer was told of it. */
  readonly isQueued: boolean;
  readonly ageSeconds: number;
}

/**
 * Looks through the next `limit` entries behind a place: those of them without a seal, and where to go on (null at
 * the end).
 */
export async function listWithoutSeal(
  db: Db,
  after: EntryPlace,
  limit: number,
): Promise<{ unsealed: Unsealed[]; next: EntryPlace | null }> {
  const { rows } = await sql<{ id: number; at_us: number; sealed: boolean; queued: boolean; age: number }>`
    select e.id, ${micros('e.at')} as at_us, extract(epoch from clock_timestamp() - e.at)::float8 as age,
      exists (select from audit.seals s where s.entry_id = e.id) as sealed,
      exists (select from audit.unsealed u where u.entry_id = e.id) as queued
    from audit.entries e where (e.at, e.id) > (${timeOf(after.atUs)}, ${after.id}::bigint)
    order by e.at, e.id limit ${limit}
  `.execute(db);
  const last = rows.at(-1);
  return {
    unsealed: rows
      .filter((row) => !row.sealed)
      .map((row) => ({ id: row.id, atUs: row.at_us, isQueued: row.queued, ageSeconds: row.age })),
    next: last === undefined || rows.length < limit ? null : { atUs: last.at_us, id: last.id },
  };
}

/** The queued entry, if any, that is gone although it was never sealed. */
export async function findLost(db: Db): Promise<{ id: number } | null> {
  const row = await db
    .selectFrom('audit.unsealed as u')
    .leftJoin('audit.entries as e', (on) =>
      on.onRef('e.at', '=', 'u.entry_at').onRef('e.id', '=', 'u.entry_id'),
    )
    .select('u.entry_id as id')
    .where('e.id', 'is', null)
    .orderBy('u.entry_id')
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

/** When the entry of a place was written, as a place in the order of entries; the beginning when it has none. */
export async function entryPlaceOf(db: Db, seq: number): Promise<EntryPlace> {
  const row = await db
    .selectFrom('audit.seals')
    .select(micros('entry_at').as('at_us'))
    .where('seq', '=', seq)
    .executeTakeFirst();
  return { atUs: row?.at_us ?? 0, id: 0 };
}

/** The last place of the chain before that one which has a seal; 0 when none has. */
export async function lastSealBelow(db: Db, seq: number): Promise<number> {
  const row = await db
    .selectFrom('audit.seals')
    .select('seq')
    .where('seq', '<', seq)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.seq ?? 0;
}
