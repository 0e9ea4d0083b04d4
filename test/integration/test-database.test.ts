import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, databaseServers, type TestDatabase } from '#test/support/database.ts';

describe.each(databaseServers())('a test database on $name', (server) => {
  let first: TestDatabase;
  let second: TestDatabase;
  beforeAll(async () => {
    [first, second] = await Promise.all([createTestDatabase(server), createTestDatabase(server)]);
  });
  afterAll(async () => {
    await first.close();
    await second.close();
  });

  test('has the whole schema and nothing that another test has written', async () => {
    await first.db
      .insertInto('items')
      .values({ id: '01900000-0000-7000-8000-000000000001', seller_id: 'seller', title: 'A lamp' })
      .execute();
    expect(await first.db.selectFrom('items').select('title').execute()).toEqual([{ title: 'A lamp' }]);
    expect(await second.db.selectFrom('items').select('title').execute()).toEqual([]);
  });
});
