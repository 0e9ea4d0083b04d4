import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeLateIndexes } from '#src/db/late-indexes.ts';
import type { Db } from '#src/db/schema.ts';
import { insertBareFile } from '#test/support/bare-file.ts';
import { createTestDatabase, databaseServers, type TestDatabase } from '#test/support/database.ts';
import { asSuperuser } from '#test/support/superuser.ts';

describe.each(databaseServers())('on $name', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(server);
  });
  afterAll(() => database.close());

  test('an index that is missing is made while others write to its table', async () => {
    const { db } = database;
    await sql`drop index files_documents`.execute(db);
    let making: Promise<readonly string[]> | undefined;
    await db.transaction().execute(async (trx) => {
      await newFile(trx);
      making = makeLateIndexes(db);
      await untilItWaits(db);
      await db.transaction().execute(async (other) => {
        await sql`set local lock_timeout = '1s'`.execute(other);
        await newFile(other);
      });
    });
    expect(await making).toEqual(['files_documents']);
    expect(await makeLateIndexes(db)).toEqual([]);
  });

  test('one that was left half made is made again', async () => {
    await asSuperuser(
      database,
      `update pg_index set indisvalid = false where indexrelid = 'holds_by_file'::regclass`,
    );
    expect(await makeLateIndexes(database.db)).toEqual(['holds_by_file']);
  });

  test('who comes while another makes them goes on', async () => {
    const { db } = database;
    await sql`drop index holds_by_file`.execute(db);
    let second: readonly string[] | undefined;
    let first: Promise<readonly string[]> | undefined;
    await db.transaction().execute(async (trx) => {
      await sql`insert into holds (file_id, reason, placed_by) select id, 'A reason', 'somebody' from files limit 1`.execute(
        trx,
      );
      first = makeLateIndexes(db);
      await untilItWaits(db);
      second = await makeLateIndexes(db);
    });
    expect(second).toEqual([]);
    expect(await first).toEqual(['holds_by_file']);
  });
});

function newFile(db: Db) {
  return insertBareFile(db);
}

/** Until the index waits for the transactions that were there before it. */
async function untilItWaits(db: Db): Promise<void> {
  await expect
    .poll(async () => {
      const { rows } = await sql`
        select from pg_stat_activity
        where datname = current_database() and query like 'create index concurrently%' and wait_event_type = 'Lock'
      `.execute(db);
      return rows.length;
    })
    .toBe(1);
}
