import { sql } from 'kysely';
import type { Db } from '../schema.ts';
import { type EntryPlace, timeOf } from './chain.ts';
import { micros } from './sealing.ts';

/** Which entries; what is left out matches all. Times: from included, to not. */
export interface EntryFilter {
  readonly userId?: string;
  readonly action?: string;
  readonly fileId?: string;
  readonly from?: Date;
  readonly to?: Date;
}

export interface EntryRow extends EntryPlace {
  readonly at: Date;
  readonly userId: string;
  readonly action: string;
  readonly fileId: string | null;
  readonly details: Record<string, unknown>;
  /** Its place in the chain; null until it is sealed. */
  readonly seq: number | null;
}

/** Newest first, behind a place. */
export async function listEntries(
  db: Db,
  filter: EntryFilter,
  page: { before?: EntryPlace; limit: number },
): Promise<EntryRow[]> {
  let query = db
    .selectFrom('audit.entries as e')
    .leftJoin('audit.seals as s', 's.entry_id', 'e.id')
    .select(['e.id', 'e.at', 'e.user_id', 'e.action', 'e.file_id', 'e.details', 's.seq'])
    .select(micros('e.at').as('at_us'));
  if (filter.userId !== undefined) query = query.where('e.user_id', '=', filter.userId);
  if (filter.action !== undefined) query = query.where('e.action', '=', filter.action);
  if (filter.fileId !== undefined) query = query.where('e.file_id', '=', filter.fileId);
  if (filter.from !== undefined) query = query.where('e.at', '>=', filter.from);
  if (filter.to !== undefined) query = query.where('e.at', '<', filter.to);
  if (page.before !== undefined) {
    const { atUs, id } = page.before;
    query = query.where(sql<boolean>`(e.at, e.id) < (${timeOf(atUs)}, ${id}::bigint)`);
  }
  const rows = await query.orderBy('e.at', 'desc').orderBy('e.id', 'desc').limit(page.limit).execute();
  return rows.map((row) => ({
    id: row.id,
    at: row.at,
    atUs: row.at_us,
    userId: row.user_id,
    action: row.action,
    fileId: row.file_id,
    details: row.details,
    seq: row.seq,
  }));
}
