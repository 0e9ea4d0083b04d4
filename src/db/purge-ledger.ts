import { sql } from 'kysely';
import { v7 } from 'uuid';
import { covers } from '../domain/cdn-paths.ts';
import type { NewPurgeBatch, PurgeLedger } from '../ports/purge-ledger.ts';
import { jsonText } from './json.ts';
import type { Database, Db } from './schema.ts';

const DONE_KEPT_DAYS = 30;

/** The ledger of purges in the database. */
export function createPurgeLedger(db: Database): PurgeLedger {
  return {
    async add(paths) {
      const ticket = v7();
      if (paths.length > 0)
        await sql`
          insert into cdn_purges (ticket, path) select ${ticket}, unnest(${[...paths]}::text[])
        `.execute(db);
      return ticket;
    },

    async isDone(ticket) {
      const waiting = await db
        .selectFrom('cdn_purges')
        .select('id')
        .where('ticket', '=', ticket)
        .where('done_at', 'is', null)
        .limit(1)
        .executeTakeFirst();
      return waiting === undefined;
    },

    listPending: (limit) =>
      db
        .selectFrom('cdn_purges')
        .select(['id', 'path'])
        .where('batch_id', 'is', null)
        .where('done_at', 'is', null)
        .orderBy('id')
        .limit(limit)
        .execute(),

    async listOpen() {
      const rows = await db
        .selectFrom('cdn_batches')
        .selectAll()
        .select(sql<boolean>`due_at <= now()`.as('is_due'))
        .where('state', '=', 'open')
        .orderBy('created_at')
        .orderBy('id')
        .execute();
      return rows.map((row) => ({
        id: row.id,
        callerReference: row.caller_reference,
        paths: row.paths,
        invalidationId: row.invalidation_id,
        attempts: row.attempts,
        isDue: row.is_due,
      }));
    },

    async form(batch, pending) {
      return db.transaction().execute(async (trx) => {
        const rows = await trx
          .selectFrom('cdn_purges')
          .select('id')
          .where('id', 'in', [...pending])
          .where('batch_id', 'is', null)
          .forUpdate()
          .execute();
        if (rows.length < pending.length) return false;
        await insertBatch(trx, batch);
        await trx
          .updateTable('cdn_purges')
          .set({ batch_id: batch.id })
          .where('id', 'in', [...pending])
          .execute();
        return true;
      });
    },

    async sent(id, invalidationId, askAfterMs) {
      await openBatch(db, id)
        .set({ invalidation_id: invalidationId, sent_at: sql<Date>`now()`, attempts: 0, reason: null })
        .set({ due_at: after(askAfterMs) })
        .execute();
    },
    async stillOpen(id, askAfterMs) {
      await openBatch(db, id)
        .set({ due_at: after(askAfterMs), attempts: 0, reason: null })
        .execute();
    },
    async failed(id, delayMs, reason) {
      await openBatch(db, id)
        .set({ due_at: after(delayMs), attempts: sql<number>`attempts + 1`, reason })
        .execute();
    },

    async replace(id, parts) {
      await db.transaction().execute(async (trx) => {
        const ended = await finish(trx, id, 'replaced', null);
        if (!ended) return;
        for (const part of parts) await insertBatch(trx, part);
        const purges = await trx
          .selectFrom('cdn_purges')
          .select(['id', 'path'])
          .where('batch_id', '=', id)
          .where('done_at', 'is', null)
          .execute();
        for (const part of parts) {
          const ids = purges
            .filter(({ path }) => part.paths.some((one) => covers(one, path)))
            .map((row) => row.id);
          if (ids.length > 0)
            await trx.updateTable('cdn_purges').set({ batch_id: part.id }).where('id', 'in', ids).execute();
        }
      });
    },
    completed: (id) => settle(db, id, 'completed', null),
    abandoned: (id, reason) => settle(db, id, 'abandoned', reason),
  };
}

/** Removes what was done more than a month ago. */
export async function trimPurges(db: Database): Promise<void> {
  const before = sql<Date>`now() - make_interval(days => ${DONE_KEPT_DAYS})`;
  await db.deleteFrom('cdn_purges').where('done_at', '<', before).execute();
  await db
    .deleteFrom('cdn_batches')
    .where('finished_at', '<', before)
    .where((where) =>
      where.not(
        where.exists(where.selectFrom('cdn_purges').select('id').whereRef('batch_id', '=', 'cdn_batches.id')),
      ),
    )
    .execute();
}

async function settle(
  db: Database,
  id: string,
  state: 'completed' | 'abandoned',
  reason: string | null,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    if (!(await finish(trx, id, state, reason))) return;
    await trx
      .updateTable('cdn_purges')
      .set({ done_at: sql<Date>`now()` })
      .where('batch_id', '=', id)
      .execute();
  });
}

/** False when it had ended already: two workers may ask after one batch. */
async function finish(
  db: Db,
  id: string,
  state: 'completed' | 'replaced' | 'abandoned',
  reason: string | null,
): Promise<boolean> {
  const row = await openBatch(db, id)
    .set({ state, finished_at: sql<Date>`now()`, ...(reason !== null && { reason }) })
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

function openBatch(db: Db, id: string) {
  return db.updateTable('cdn_batches').where('id', '=', id).where('state', '=', 'open');
}

async function insertBatch(db: Db, { id, callerReference, paths }: NewPurgeBatch): Promise<void> {
  await db
    .insertInto('cdn_batches')
    .values({ id, caller_reference: callerReference, paths: jsonText([...paths]) })
    .execute();
}

function after(ms: number) {
  return sql<Date>`now() + make_interval(secs => ${ms / 1000})`;
}
