import { sql } from 'kysely';
import type { MatchOutcome } from '../domain/review-case.ts';
import type { Db } from './schema.ts';

/** Two photos of different owners that show the same picture. */
export interface Pair {
  readonly id: number;
  readonly newerId: string;
  readonly olderId: string;
  readonly newerOwner: string;
  readonly olderOwner: string;
}

/** PDQ's own bound for the same picture. */
const SAME_HASH = 31;

/**
 * Notes that two photos of different owners show the same, once a pair. Null when a moderator has decided on it, or dismissed
 * it: of these two photos, of the same two pictures of these owners under other ids, or of whatever these two people show.
 */
export async function noteMatch(
  db: Db,
  match: { newerId: string; olderId: string; similarity: number },
): Promise<number | null> {
  const { rows } = await sql<{ id: number }>`
    insert into photo_matches
      (newer_id, older_id, newer_owner, older_owner, newer_hash, older_hash, similarity)
    select newer.id, older.id, newer.owner_id, older.owner_id, n.hash, o.hash, ${match.similarity}
    from files newer join fingerprints n on n.file_id = newer.id,
         files older join fingerprints o on o.file_id = older.id
    where newer.id = ${match.newerId} and older.id = ${match.olderId}
      and not exists (
        select from photo_matches m
        where m.outcome in ('not_a_copy', 'same_owner') and (
          (m.newer_owner = newer.owner_id and m.older_owner = older.owner_id and
            (m.outcome = 'same_owner' or
              (bit_count(m.newer_hash # n.hash) <= ${SAME_HASH} and bit_count(m.older_hash # o.hash) <= ${SAME_HASH})))
          or
          (m.newer_owner = older.owner_id and m.older_owner = newer.owner_id and
            (m.outcome = 'same_owner' or
              (bit_count(m.newer_hash # o.hash) <= ${SAME_HASH} and bit_count(m.older_hash # n.hash) <= ${SAME_HASH})))))
    on conflict (newer_id, older_id) do update set similarity = excluded.similarity
      where photo_matches.outcome is null
    returning id`.execute(db);
  return rows[0]?.id ?? null;
}

export async function findMatch(db: Db, id: number): Promise<Pair | null> {
  return (await pairs(db).where('m.id', '=', id).executeTakeFirst()) ?? null;
}

/** The pair that these two photos are, whichever is the newer, while nobody has decided on it. */
export async function findOpenPair(db: Db, oneId: string, otherId: string): Promise<Pair | null> {
  const row = await pairs(db)
    .where('m.newer_id', 'in', [oneId, otherId])
    .where('m.older_id', 'in', [oneId, otherId])
    .where('m.outcome', 'is', null)
    .executeTakeFirst();
  return row ?? null;
}

/** Whether another pair of this photo waits for a moderator; those whose other photo is gone do not. */
export async function hasOtherOpenMatch(db: Db, { id, newerId }: Pair): Promise<boolean> {
  const row = await db
    .selectFrom('photo_matches as m')
    .innerJoin('files as older', 'older.id', 'm.older_id')
    .select('m.id')
    .where('m.newer_id', '=', newerId)
    .where('m.id', '<>', id)
    .where('m.outcome', 'is', null)
    .where('older.state', 'not in', ['deleting', 'deleted'])
    .executeTakeFirst();
  return row !== undefined;
}

function pairs(db: Db) {
  return db
    .selectFrom('photo_matches as m')
    .innerJoin('files as newer', 'newer.id', 'm.newer_id')
    .innerJoin('files as older', 'older.id', 'm.older_id')
    .select([
      'm.id',
      'm.newer_id as newerId',
      'm.older_id as olderId',
      'newer.owner_id as newerOwner',
      'older.owner_id as olderOwner',
    ]);
}

/** False when somebody has decided already. */
export async function decideMatch(
  db: Db,
  id: number,
  decision: { outcome: MatchOutcome; by: string },
): Promise<boolean> {
  const row = await db
    .updateTable('photo_matches')
    .set({ outcome: decision.outcome, decided_by: decision.by, decided_at: sql<Date>`clock_timestamp()` })
    .where('id', '=', id)
    .where('outcome', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}
