import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findGallery } from '#src/db/galleries.ts';
import { writeOrder } from '#src/db/positions.ts';
import { createTestDatabase, databaseServers, type TestDatabase } from '#test/support/database.ts';

const ITEM = 'listing-1';
const idOf = (index: number) => `00000000-0000-7000-8000-00000000000${index}`;

describe.each(databaseServers())('the stamp of a gallery on $name', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    await sql`insert into items (id, seller_id, title)
      select 'listing-' || n, 'seller', 'A bicycle' from generate_series(1, 2) n`.execute(database.db);
    await sql`insert into files (id, kind, item_id, owner_id, position, filename)
      select ('00000000-0000-7000-8000-00000000000' || n)::uuid, 'item_photo', 'listing-' || 1 + n / 4, 'seller', n % 4, 'a.jpg'
      from generate_series(0, 5) n`.execute(database.db);
  });
  afterAll(() => database.close());

  const head = () => findGallery(database.db, ITEM);

  test('is another after each change of a placed photo, and the same after none', async () => {
    const seen = [(await head())?.stamp];
    expect((await head())?.stamp).toBe(seen[0]);
    const changes = [
      sql`update files set alt = 'A bell' where id = ${idOf(2)}`,
      sql`update files set alt = alt where id = ${idOf(2)}`,
      sql`update files set state = 'failed' where id = ${idOf(3)}`,
      sql`update files set position = null where id = ${idOf(3)}`,
    ];
    for (const change of changes) {
      await change.execute(database.db);
      seen.push((await head())?.stamp);
    }
    await database.db.transaction().execute((trx) => writeOrder(trx, ITEM, [idOf(1), idOf(0), idOf(2)]));
    seen.push((await head())?.stamp);
    // One change undone by the next is no way back.
    await database.db.transaction().execute((trx) => writeOrder(trx, ITEM, [idOf(0), idOf(1), idOf(2)]));
    seen.push((await head())?.stamp);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('stays while other listings change, and comes with the listing as it is', async () => {
    const before = await head();
    await sql`update files set alt = 'Another' where item_id = 'listing-2'`.execute(database.db);
    await sql`update items set title = 'A tandem' where id = ${ITEM}`.execute(database.db);
    const after = await head();
    expect(after?.stamp).toBe(before?.stamp);
    expect(after?.item).toMatchObject({ id: ITEM, title: 'A tandem' });
    expect(Object.keys(after?.item ?? {})).not.toContain('stamp');
    expect(await findGallery(database.db, 'listing-3')).toBeNull();
  });

  test('tells when a photo has lost bytes', async () => {
    expect((await head())?.isWhole).toBe(true);
    await sql`update files set warnings = '["DAMAGED"]' where id = ${idOf(0)}`.execute(database.db);
    expect((await head())?.isWhole).toBe(false);
  });
});
