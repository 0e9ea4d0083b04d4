import { type Kysely, sql } from 'kysely';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '#src/db/connect.ts';
import { insertFile, lockFile, transition } from '#src/db/files.ts';
import { bumpPhotosVersion, insertItem, listItems } from '#src/db/items.ts';
import { MIGRATIONS, migrateToLatest } from '#src/db/migrate.ts';
import type { Db } from '#src/db/schema.ts';
import { writeOrder } from '#src/db/positions.ts';
import { isStorageError } from '#src/domain/errors.ts';
import { canTransition, FILE_STATES, type FileState, TRANSITIONS } from '#src/domain/file-state.ts';
import { createTestDatabase, databaseServers, type TestDatabase } from '#test/support/database.ts';
import { silentLog } from '#test/support/silent-log.ts';
import { connectionTo, withClient } from '#test/support/template-database.ts';

describe.each(databaseServers())('on $name', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    await insertItem(database.db, { id: 'item', sellerId: 'seller', title: 'A thing', category: null });
  });
  afterAll(() => database.close());

  function newFile(position: number | null = null, itemId = 'item') {
    return insertFile(database.db, {
      id: v7(),
      kind: 'item_photo',
      itemId,
      ownerId: 'seller',
      position,
      filename: 'x.jpg',
      claimedType: null,
      claimedBytes: null,
      claimedSha256: null,
      deadlineAt: new Date(Date.now() + 60_000),
    });
  }

  /** A file in that state, whatever way leads there: the trigger is asked nothing. */
  async function fileIn(state: FileState) {
    const { id } = await newFile();
    await database.db.transaction().execute(async (trx) => {
      await sql`alter table files disable trigger files_transition`.execute(trx);
      await trx.updateTable('files').set({ state }).where('id', '=', id).execute();
      await sql`alter table files enable trigger files_transition`.execute(trx);
    });
    return id;
  }

  test('many who migrate an empty database at once apply each migration once', async () => {
    const name = `test_empty_${v7().replaceAll('-', '')}`;
    const base = await server.connection();
    await withClient(base, (client) => client.query(`create database ${name}`));
    const pools = Array.from({ length: 3 }, () =>
      connect({
        connection: connectionTo(base, name),
        poolSize: 2,
        statementTimeoutMs: 15_000,
        log: silentLog,
      }),
    );
    const applied = await Promise.all(pools.map((pool) => migrateToLatest(pool)));
    const names = applied.flat();
    expect(names).toContain('0001-items-files-objects');
    expect(new Set(names).size).toBe(names.length);
    expect(await Promise.all(pools.map((pool) => migrateToLatest(pool)))).toEqual([[], [], []]);
    for (const pool of pools) await pool.destroy();
    await withClient(base, (client) => client.query(`drop database ${name} with (force)`));
  });

  test('a migration that waits for a table lets others go on, and is made once the table is free', async () => {
    const { db } = database;
    const adds = {
      async up(on: Kysely<unknown>) {
        await sql`alter table file_views add column added text`.execute(on);
      },
    };
    const look = (on: Db) =>
      sql`insert into file_views (file_id, last_viewed_at) select id, now() from files limit 0`.execute(on);
    let migrating: Promise<readonly string[]> | undefined;
    await db.transaction().execute(async (trx) => {
      await look(trx);
      migrating = migrateToLatest(db, { ...MIGRATIONS, '9999-adds': adds });
      await expect
        .poll(
          async () => {
            const { rows } = await sql`select from pg_stat_activity where datname = current_database()
            and query like 'alter table file_views%' and wait_event_type = 'Lock'`.execute(db);
            return rows.length;
          },
          { timeout: 10_000 },
        )
        .toBe(1);
      await db.transaction().execute(async (other) => {
        await sql`set local lock_timeout = '5s'`.execute(other);
        await look(other);
      });
    });
    expect(await migrating).toEqual(['9999-adds']);
  });

  test('the database has the same transitions as the domain', async () => {
    const rows = await database.db.selectFrom('file_transitions').selectAll().execute();
    const expected = FILE_STATES.flatMap((from) => TRANSITIONS[from].map((to) => `${from} > ${to}`));
    expect(rows.map((row) => `${row.from_state} > ${row.to_state}`).toSorted()).toEqual(expected.toSorted());
  });

  test('the database lets every step of the table happen and refuses every other', async () => {
    for (const from of FILE_STATES)
      for (const to of FILE_STATES) {
        if (from === to) continue;
        const id = await fileIn(from);
        const step = transition(database.db, { id, from }, to);
        const outcome = await step.then(
          (row) => row?.state,
          (error: unknown) => (isStorageError(error) ? error.code : error),
        );
        expect(outcome, `${from} > ${to}`).toBe(canTransition(from, to) ? to : 'ILLEGAL_TRANSITION');
      }
  });

  test('no file begins in another state than pending', async () => {
    for (const state of FILE_STATES.filter((known) => known !== 'pending'))
      await expect(
        database.db
          .insertInto('files')
          .values({
            id: v7(),
            kind: 'profile_photo',
            owner_id: 'x',
            filename: 'x',
            state,
            stage: null,
            position: null,
          })
          .execute(),
      ).rejects.toMatchObject({ code: 'ILLEGAL_TRANSITION' });
  });

  test('a transition whose premise does not hold changes nothing', async () => {
    const { id } = await newFile();
    expect(await transition(database.db, { id, from: 'checking' }, 'published')).toBeNull();
    expect(await transition(database.db, { id, from: 'pending', generation: 2 }, 'received')).toBeNull();
    expect((await lockFile(database.db, id))?.state).toBe('pending');
  });

  test('two photos of a listing cannot have one position at commit, and can swap inside a transaction', async () => {
    await insertItem(database.db, { id: 'places', sellerId: 'seller', title: 'A thing', category: null });
    const [one, two] = [await newFile(0, 'places'), await newFile(1, 'places')];
    await expect(newFile(1, 'places')).rejects.toMatchObject({ code: '23P01' });
    await database.db.transaction().execute((trx) => writeOrder(trx, 'places', [two.id, one.id]));
    expect((await lockFile(database.db, two.id))?.position).toBe(0);
  });

  test('pages of listings follow each other without loss or repeat, also when times are equal', async () => {
    const at = new Date();
    for (let count = 0; count < 9; count += 1) {
      await insertItem(database.db, { id: `page-${count}`, sellerId: 'pager', title: 'A', category: null });
      await database.db
        .updateTable('items')
        .set({ created_at: new Date(at.getTime() + Math.floor(count / 4)) })
        .where('id', '=', `page-${count}`)
        .execute();
    }
    const seen: string[] = [];
    let after: { createdAt: Date; id: string } | undefined;
    for (;;) {
      const rows = await listItems(database.db, {
        sellerId: 'pager',
        activeOnly: false,
        limit: 2,
        ...(after !== undefined && { after }),
      });
      seen.push(...rows.map((row) => row.id));
      const last = rows.at(-1);
      if (last === undefined) break;
      after = { createdAt: last.created_at, id: last.id };
      // What comes new meanwhile is newer than every page still to come.
      await insertItem(database.db, {
        id: `new-${seen.length}`,
        sellerId: 'pager',
        title: 'A',
        category: null,
      });
    }
    expect(seen).toEqual([
      'page-8',
      'page-4',
      'page-5',
      'page-6',
      'page-7',
      'page-0',
      'page-1',
      'page-2',
      'page-3',
    ]);
  });

  test('a version rises by one for each of many changes at once', async () => {
    const versions = await Promise.all(
      Array.from({ length: 8 }, () => bumpPhotosVersion(database.db, 'item')),
    );
    expect(new Set(versions).size).toBe(8);
  });
});
