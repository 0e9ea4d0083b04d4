import { type RawBuilder, sql } from 'kysely';
import { CHAIN_START, chainHash } from '../../domain/audit-chain.ts';
import type { Database, Db } from '../schema.ts';

/** Any number; the same in every process that seals. */
const SEALER_LOCK = 7_405_915;

/** Microseconds since 1970: a JavaScript date would cut what the database keeps. */
export const micros = (column: string): RawBuilder<number> =>
  sql<number>`(extract(epoch from ${sql.ref(column)}) * 1000000)::bigint`;

/** A place in the chain. Place 0, before the first row, has the hash `CHAIN_START`. */
export interface ChainPlace {
  readonly seq: number;
  readonly hash: Uint8Array;
}

interface Waiting {
  readonly id: number;
  readonly at_us: number;
  readonly user_id: string;
  readonly action: string;
  readonly file_id: string | null;
  readonly details: string;
}

/**
 * Seals what is committed and not sealed yet, at most `limit` rows, in one transaction. Resolves to how many; null when
 * another sealer is at work. One whose process dies seals nothing and blocks nobody.
 *
 * The order of the chain is the order of sealing. A row whose transaction commits late is not visible yet, stays in the
 * queue and is sealed behind rows with higher ids; no snapshot, id or time decides what is still to come.
 */
export async function sealEntries(db: Database, limit: number): Promise<number | null> {
  if (!(await anyUnsealed(db))) return 0;
  return db.transaction().execute(async (trx) => {
    const lock = await sql<{
      taken: boolean;
    }>`select pg_try_advisory_xact_lock(${SEALER_LOCK}) as taken`.execute(trx);
    if (lock.rows[0]?.taken !== true) return null;
    const waiting = await listUnsealed(trx, limit);
    if (waiting.length === 0) return 0;
    await insertSeals(trx, await chainHead(trx), waiting);
    return waiting.length;
  });
}

/** The last sealed row's place. Behind dropped months: where the chain stood when they were dropped. */
export async function chainHead(db: Db): Promise<ChainPlace> {
  const seal = await db
    .selectFrom('audit.seals')
    .select(['seq', 'hash'])
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (seal !== undefined) return seal;
  const dropped = await db
    .selectFrom('audit.anchors')
    .select(['seq', 'hash'])
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return dropped ?? { seq: 0, hash: CHAIN_START };
}

async function anyUnsealed(db: Db): Promise<boolean> {
  const found = await sql<{ any: boolean }>`select exists (select from audit.unsealed) as any`.execute(db);
  return found.rows[0]?.any === true;
}

/** Those whose entry is there: one that somebody has removed is left in the queue, where `verify` finds it. */
async function listUnsealed(db: Db, limit: number): Promise<Waiting[]> {
  return db
    .selectFrom('audit.unsealed as u')
    .innerJoin('audit.entries as e', (on) =>
      on.onRef('e.at', '=', 'u.entry_at').onRef('e.id', '=', 'u.entry_id'),
    )
    .select(['e.id', 'e.user_id', 'e.action', 'e.file_id'])
    .select([micros('e.at').as('at_us'), sql<string>`e.details::text`.as('details')])
    .orderBy('u.entry_id')
    .limit(limit)
    .execute();
}

async function insertSeals(db: Db, head: ChainPlace, waiting: readonly Waiting[]): Promise<void> {
  const sealedAt = new Date();
  let { seq, hash } = head;
  const seals = waiting.map((entry) => {
    seq += 1;
    hash = chainHash(hash, {
      seq,
      sealedAtUs: sealedAt.getTime() * 1000,
      id: entry.id,
      atUs: entry.at_us,
      userId: entry.user_id,
      action: entry.action,
      fileId: entry.file_id,
      details: entry.details,
    });
    return { seq, id: entry.id, hash };
  });
  const ids = seals.map(({ id }) => id);
  await sql`
    with taken as (delete from audit.unsealed where entry_id = any(${ids}::bigint[]) returning entry_id, entry_at)
    insert into audit.seals (seq, entry_id, entry_at, sealed_at, hash)
    select made.seq, taken.entry_id, taken.entry_at, ${sealedAt}, made.hash
    from unnest(${seals.map((seal) => seal.seq)}::bigint[], ${ids}::bigint[], ${seals.map((seal) => seal.hash)}::bytea[])
      as made (seq, entry_id, hash)
    join taken using (entry_id)
  `.execute(db);
}
