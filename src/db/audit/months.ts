import { sql } from 'kysely';
import type { Db } from '../schema.ts';

/** Makes sure that this month and the next `ahead` have a place of their own. Resolves to how many were made. */
export async function prepareMonths(db: Db, ahead: number): Promise<number> {
  const { rows } = await sql<{ made: number }>`select audit.prepare_months(${ahead}) as made`.execute(db);
  return rows[0]?.made ?? 0;
}

/** Months that have entries of their own, `2026-11`, oldest first. */
export async function listMonths(db: Db): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'audit.entries'::regclass and c.relname ~ '^entries_\\d{4}_\\d{2}$' order by 1
  `.execute(db);
  return rows.map(({ name }) => name.slice('entries_'.length).replace('_', '-'));
}

/** What stays of a month that is dropped. */
export interface MonthEnd {
  /** The last place of the chain before which nothing is kept. */
  readonly cut: { readonly seq: number; readonly hash: Buffer };
  /** Seals of the month that stand behind it, between those of entries that are kept. */
  readonly beyond: readonly { readonly seq: number; readonly hash: Buffer }[];
}

/** Null when nothing of the month was ever sealed and nothing is left before it. */
export async function findMonthEnd(db: Db, month: string): Promise<MonthEnd | null> {
  const after = sql<Date>`(${`${month}-01`}::date + interval '1 month')::timestamp at time zone 'UTC'`;
  const { rows } = await sql<{ seq: number; hash: Buffer }>`
    select seq, hash from audit.seals
    where seq < coalesce((select min(seq) from audit.seals where entry_at >= ${after}), 9007199254740991)
    order by seq desc limit 1
  `.execute(db);
  const cut = rows[0];
  if (cut === undefined) return null;
  const beyond = await db
    .selectFrom('audit.seals')
    .select(['seq', 'hash'])
    .where('entry_at', '<', after)
    .where('seq', '>', cut.seq)
    .orderBy('seq')
    .execute();
  return { cut, beyond };
}

/** Drops the entries of a month. The database refuses it without an anchor, unsealed, or within a year. */
export async function dropMonth(db: Db, month: string): Promise<void> {
  await sql`select audit.drop_month(${`${month}-01`}::date)`.execute(db);
}

/** Removes seals of dropped entries, at most `limit`; resolves to how many. */
export async function trimSeals(db: Db, limit: number): Promise<number> {
  const { rows } = await sql<{ removed: number }>`select audit.trim_seals(${limit}) as removed`.execute(db);
  return rows[0]?.removed ?? 0;
}
