import { type Kysely, sql } from 'kysely';
import pg from 'pg';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '#src/db/connect.ts';
import { claimOutbox } from '#src/db/outbox.ts';
import { findFile, lockFile } from '#src/db/files.ts';
import { findItem, insertItem } from '#src/db/items.ts';
import { listPlaced } from '#src/db/positions.ts';
import { preparing } from '#src/db/prepared-statements.ts';
import type { Database } from '#src/db/schema.ts';
import { listShownVariants } from '#src/db/variants.ts';
import { insertBareFile } from '#test/support/bare-file.ts';
import { createTestDatabase, databaseServers, type TestDatabase } from '#test/support/database.ts';
import { silentLog } from '#test/support/silent-log.ts';

/** Uses after which a statement is surely prepared, and planned for any parameters where that is as good. */
const OFTEN = 10;

describe.each(databaseServers())('on $name', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(server, { poolSize: 1 });
    await insertItem(database.db, { id: 'item', sellerId: 'seller', title: 'A thing', category: null });
  });
  afterAll(() => database.close());

  function newFile(db: Database) {
    return insertBareFile(db, { kind: 'item_photo', itemId: 'item' });
  }

  test('what is asked again and again is prepared once a connection, lists of all lengths as one', async () => {
    const { db } = database;
    const before = await prepared(db);
    const { id } = await newFile(db);
    for (let n = 1; n <= OFTEN; n += 1) {
      expect((await findFile(db, id))?.id, 'the file').toBe(id);
      expect(
        await listShownVariants(
          db,
          Array.from({ length: n }, () => v7()),
        ),
        'its variants',
      ).toEqual([]);
    }
    const added = (await prepared(db)).filter(({ name }) => !before.some((known) => known.name === name));
    expect(new Set(added.map(({ statement }) => /from "(\w+)"/.exec(statement)?.[1]))).toEqual(
      new Set(['files', 'variants']),
    );
    expect(added).toHaveLength(2);
  });

  test('nothing is prepared where that is switched off', async () => {
    const db = connect({
      connection: database.connection,
      poolSize: 1,
      statementTimeoutMs: 15_000,
      preparesStatements: false,
      log: silentLog,
    });
    try {
      for (let n = 0; n < OFTEN; n += 1) await findFile(db, v7());
      expect(await prepared(db)).toEqual([]);
    } finally {
      await db.destroy();
    }
  });

  test('a migration that adds columns fails no statement, in a transaction or out of it', async () => {
    const { db } = database;
    const { id } = await newFile(db);
    const everything = async (on: Database) => {
      await findFile(on, id);
      await findItem(on, 'item');
      await listPlaced(on, 'item');
      await claimOutbox(on, 1, 1);
      await on.selectFrom('document_keys').selectAll().where('file_id', '=', id).execute();
      await sql`select files.* from files where id = ${id}`.execute(on);
      await on.transaction().execute((trx) => lockFile(trx, id));
      await newFile(on);
    };
    for (let n = 0; n < OFTEN; n += 1) await everything(db);
    for (const table of ['files', 'items', 'outbox', 'document_keys'])
      await sql`alter table ${sql.ref(table)} add column added_later text`.execute(db);
    await everything(db);
    await db.transaction().execute(async (trx) => {
      expect((await lockFile(trx, id))?.id, 'the file').toBe(id);
    });
  });

  test('a statement whose result a migration has changed fails once and is prepared anew', async () => {
    const { db } = database;
    await sql`create table changing (a integer)`.execute(db);
    const ask = () => sql`select a from changing where a > ${0}`.execute(db);
    for (let n = 0; n < OFTEN; n += 1) await ask();
    await sql`alter table changing alter a type bigint`.execute(db);
    await expect(ask()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    expect((await ask()).rows).toEqual([]);
  });

  describe('with room for three', () => {
    const names = () => Array.from({ length: 6 }, (_, at) => at);
    let pool: pg.Pool;
    beforeAll(() => {
      pool = new pg.Pool({ ...database.connection, max: 1 });
    });
    afterAll(() => pool.end());

    test('the least recently used are closed, and prepared again when they are asked for', async () => {
      const client = await preparing(pool, 3).connect();
      const ask = (at: number) => client.query<{ n: number }>(`select $1::int + ${at} as n`, [1]);
      for (let round = 0; round < 4; round += 1)
        for (const at of names()) expect((await ask(at)).rows, 'the sum').toEqual([{ n: at + 1 }]);
      await ask(3);
      const kept = await client.query<{ statement: string }>(
        'select statement from pg_prepared_statements order by statement',
        [],
      );
      expect(kept.rows.map(({ statement }) => /\+ (\d)/.exec(statement)?.[1])).toEqual(['3', '4', '5']);
      client.release();
    });

    test('closing one does not fail a transaction, nor one that has failed', async () => {
      const client = await preparing(pool, 3).connect();
      const ask = (at: number) => client.query(`select $1::int - ${at}`, [1]);
      await client.query('begin', []);
      for (let round = 0; round < 4; round += 1) for (const at of names()) await ask(at);
      await expect(client.query('select 1 / $1::int', [0])).rejects.toThrow('division by zero');
      await expect(ask(0)).rejects.toThrow('current transaction is aborted');
      await client.query('rollback', []);
      expect((await ask(0)).rowCount, 'rows').toBe(1);
      client.release();
    });
  });
});

/** What the one connection of the pool keeps prepared. */
async function prepared<T>(db: Kysely<T>): Promise<readonly { name: string; statement: string }[]> {
  const { rows } = await sql<{ name: string; statement: string }>`
    select name, statement from pg_prepared_statements
  `.execute(db);
  return rows;
}
