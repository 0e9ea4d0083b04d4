import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPostgresPhotoIndex } from '#src/adapters/search/postgres.ts';
import { createTestDatabase, databaseServers, type TestDatabase } from '#test/support/database.ts';
import { askedBy } from '#test/support/photo-documents.ts';
import { describePhotoIndex } from './search.contract.ts';

describe.each(databaseServers())('on $name', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(server);
  });
  afterAll(() => database.close());

  describePhotoIndex({
    product: 'PostgreSQL',
    open: async () => createPostgresPhotoIndex({ db: database.db }),
  });

  test('a relation of that name that is not ours is refused, and left as it is', async () => {
    const other = await createTestDatabase(server);
    try {
      await sql`create view photo_index_v1 as select 1 as theirs`.execute(other.db);
      await expect(createPostgresPhotoIndex({ db: other.db }).prepare()).rejects.toMatchObject({
        code: 'INVALID_CONFIGURATION',
        message: expect.stringMatching(/photo_index_v1 .* not made by this service. Rename it/),
      });
      expect((await sql`select theirs from photo_index_v1`.execute(other.db)).rows).toHaveLength(1);
    } finally {
      await other.close();
    }
  });

  test('each search is planned by what it asks, however often its like was asked', async () => {
    const one = await createTestDatabase(server, { poolSize: 1 });
    try {
      const index = createPostgresPhotoIndex({ db: one.db });
      await index.prepare();
      for (let n = 0; n < 8; n += 1)
        for (const words of [null, `word${n}`]) await index.search(askedBy({ words }));
      const { rows } = await sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(
        one.db,
      );
      expect(rows.filter(({ statement }) => /photo_index_v1"? (where|as)|ts_rank/.test(statement))).toEqual(
        [],
      );
    } finally {
      await one.close();
    }
  });

  test('many who make the first index at once make one', async () => {
    const other = await createTestDatabase(server);
    try {
      const index = createPostgresPhotoIndex({ db: other.db });
      const made = await Promise.all(Array.from({ length: 4 }, () => index.prepare()));
      expect(made.toSorted()).toEqual(['found', 'found', 'found', 'made']);
      expect(await index.indexes()).toHaveLength(1);
    } finally {
      await other.close();
    }
  });
});
