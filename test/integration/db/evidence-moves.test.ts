import { sql } from 'kysely';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { placeHold } from '#src/db/holds.ts';
import { insertItem } from '#src/db/items.ts';
import { up } from '#src/db/migrations/0010-evidence-moves.ts';
import { insertBareFile } from '#test/support/bare-file.ts';
import { createTestDatabase, databaseServers, type TestDatabase } from '#test/support/database.ts';

describe.each(databaseServers())('on $name', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    await insertItem(database.db, { id: 'item', sellerId: 'seller', title: 'A thing', category: null });
  });
  afterAll(() => database.close());

  /** A held photo that was taken down while its original stayed at its public key, as it did until that migration. */
  async function stranded(known: { readonly byRow?: string; readonly byScrub?: string }): Promise<string> {
    const { db } = database;
    const id = v7();
    const key = `items/original/item/${id}-0123456789ab.jpg`;
    await insertBareFile(db, { id, kind: 'item_photo', itemId: 'item' });
    await db.transaction().execute(async (trx) => {
      await sql`alter table files disable trigger files_transition`.execute(trx);
      await trx.updateTable('files').set({ state: 'taken_down' }).where('id', '=', id).execute();
      await sql`alter table files enable trigger files_transition`.execute(trx);
      await trx.insertInto('objects').values({ key, file_id: id, state: 'live' }).execute();
      if (known.byRow !== undefined)
        await sql`insert into variants (file_id, name, format, key, bytes, width, height, sha256, report)
          values (${id}, 'original', 'jpeg', ${key}, 1, 1, 1, ${known.byRow}, '{}')`.execute(trx);
      if (known.byScrub !== undefined)
        await trx
          .insertInto('object_checks')
          .values({ key, etag: null, sha256: known.byScrub, checked_at: new Date() })
          .execute();
    });
    await placeHold(db, { fileId: id, reason: 'Case 4711', placedBy: 'admin' });
    return key;
  }

  test('evidence that was kept at its public key is listed with the hash that a row or the scrub knows', async () => {
    const [row, scrub] = ['a'.repeat(64), 'b'.repeat(64)];
    const expected = new Map([
      [await stranded({ byRow: row, byScrub: scrub }), row],
      [await stranded({ byScrub: scrub }), scrub],
      [await stranded({}), null],
    ]);
    await database.db.schema.dropTable('evidence_moves').execute();
    await up(database.db);
    const moves = await database.db.selectFrom('evidence_moves').select(['key', 'sha256', 'state']).execute();
    expect(new Map(moves.map(({ key, sha256 }) => [key, sha256]))).toEqual(expected);
    expect(moves.every(({ state }) => state === 'waiting')).toBe(true);
  });
});
