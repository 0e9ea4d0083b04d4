import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listPlaced, listUnplaced } from '#src/db/positions.ts';
import type { Db } from '#src/db/schema.ts';
import { createTestDatabase, databaseServers, type TestDatabase } from '#test/support/database.ts';

describe.each(databaseServers())('photos of one listing among those of many on $name', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    await sql`insert into items (id, seller_id, title)
      select 'listing-' || n, 'seller', 'A bicycle' from generate_series(0, 499) n`.execute(database.db);
    await sql`insert into files (id, kind, item_id, owner_id, position, filename)
      select gen_random_uuid(), 'item_photo', 'listing-' || n / 5, 'seller', n % 5, 'a.jpg'
      from generate_series(0, 2499) n`.execute(database.db);
    await sql`update files set state = 'failed', position = null where position = 4`.execute(database.db);
    await sql`analyze files`.execute(database.db);
  });
  afterAll(() => database.close());

  /** How often the table was read from its beginning by `work`. */
  async function scansOf(work: (trx: Db) => Promise<unknown>): Promise<number> {
    return database.db.transaction().execute(async (trx) => {
      const before = await scansSoFar(trx);
      await work(trx);
      return (await scansSoFar(trx)) - before;
    });
  }
  async function scansSoFar(trx: Db): Promise<number> {
    const { rows } = await sql<{ scans: number }>`
      select seq_scan as scans from pg_stat_xact_user_tables where relname = 'files'`.execute(trx);
    return rows[0]?.scans ?? Number.NaN;
  }

  test('those with a place and those that were refused are found without reading all photos', async () => {
    const found = { placed: 0, refused: 0 };
    const scans = await scansOf(async (trx) => {
      found.placed = (await listPlaced(trx, 'listing-250')).length;
      found.refused = (await listUnplaced(trx, 'listing-250', 50)).length;
    });
    expect(found).toEqual({ placed: 4, refused: 1 });
    expect(scans).toBe(0);
  });

  test('a search that no index helps is seen', async () => {
    expect(await scansOf((trx) => sql`select 1 from files where filename = 'b.jpg'`.execute(trx))).toBe(1);
  });
});
