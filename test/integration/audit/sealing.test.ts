import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordAccess, recordAccesses } from '#src/db/access-log.ts';
import { chainHead, sealEntries } from '#src/db/audit/sealing.ts';
import { CHAIN_START, chainHash } from '#src/domain/audit-chain.ts';
import { createTestDatabase, databaseServers, type TestDatabase } from '#test/support/database.ts';

describe.each(databaseServers())('sealing on $name', (server) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase(server, { poolSize: 20 });
  });
  afterEach(() => database.close());

  const entry = (action = 'photo.view') => ({ userId: 'user-1', action, fileId: randomUUID() });
  const sealedIds = async () => {
    const seals = await database.db.selectFrom('audit.seals').selectAll().orderBy('seq').execute();
    expect(seals.map((seal) => seal.seq)).toEqual(seals.map((_, index) => index + 1));
    return seals.map((seal) => seal.entry_id);
  };

  test('chains what was written, each hash over the one before and the whole row', async () => {
    const { db } = database;
    await recordAccess(db, {
      userId: 'user-1',
      action: 'document.read',
      fileId: null,
      details: { ß: '\u0000"é', list: [1] },
    });
    expect(await chainHead(db)).toEqual({ seq: 0, hash: CHAIN_START });
    expect(await sealEntries(db, 10)).toBe(1);
    const { rows } = await sql<Record<string, string>>`
      select id::text, (extract(epoch from at) * 1000000)::bigint::text as at, details::text,
        (extract(epoch from sealed_at) * 1000000)::bigint::text as sealed, encode(hash, 'hex') as hash
      from audit.entries join audit.seals on entry_id = id`.execute(db);
    const [row] = rows;
    expect(row?.['details']).toBe('{"ß":"\\u0000\\"é","list":[1]}');
    const expected = chainHash(CHAIN_START, {
      seq: 1,
      sealedAtUs: Number(row?.['sealed']),
      id: Number(row?.['id']),
      atUs: Number(row?.['at']),
      userId: 'user-1',
      action: 'document.read',
      fileId: null,
      details: row?.['details'] ?? '',
    });
    expect(row?.['hash']).toBe(expected.toString('hex'));
    expect(await sealEntries(db, 10)).toBe(0);
  });

  test('an entry that is rolled back leaves no gap, one that commits late is sealed behind later ones', async () => {
    const { db } = database;
    const early = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    const late = db.transaction().execute(async (trx) => {
      await recordAccess(trx, entry('late'));
      written.resolve();
      await early.promise;
    });
    await written.promise;
    await recordAccess(db, entry('early'));
    await expect(
      db.transaction().execute(async (trx) => {
        await recordAccess(trx, entry('never'));
        throw new Error('undone');
      }),
    ).rejects.toThrow('undone');
    expect(await sealEntries(db, 10)).toBe(1);
    early.resolve();
    await late;
    expect(await sealEntries(db, 10)).toBe(1);
    const actions = await db
      .selectFrom('audit.seals')
      .innerJoin('audit.entries', 'id', 'entry_id')
      .select(['action', 'id'])
      .orderBy('seq')
      .execute();
    expect(actions.map(({ action }) => action)).toEqual(['early', 'late']);
    expect(actions[0]?.id).toBeGreaterThan(actions[1]?.id ?? Infinity);
    await sealedIds();
  });

  test('sealers at once make one dense chain, and none waits for another', async () => {
    const { db } = database;
    await recordAccesses(
      db,
      Array.from({ length: 500 }, () => entry()),
    );
    const blocked = Promise.withResolvers<void>();
    const holding = db.transaction().execute(async (trx) => {
      await sql`select pg_advisory_xact_lock(7405915)`.execute(trx);
      await blocked.promise;
    });
    await expect.poll(() => sealEntries(db, 10)).toBeNull();
    blocked.resolve();
    await holding;
    while ((await db.selectFrom('audit.unsealed').selectAll().limit(1).execute()).length > 0)
      await Promise.all(Array.from({ length: 6 }, () => sealEntries(db, 37)));
    expect(new Set(await sealedIds()).size).toBe(500);
  });

  test('a sealer that is killed in the middle seals nothing, and the next one goes on', async () => {
    const { db } = database;
    await recordAccesses(
      db,
      Array.from({ length: 50 }, () => entry()),
    );
    // Dies where its seals are written and not committed: the connection is cut from outside.
    await sql`create function die() returns trigger language plpgsql as
      $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$`.execute(db);
    await sql`create trigger die after insert on audit.seals for each statement execute function die()`.execute(
      db,
    );
    await expect(sealEntries(db, 20)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    await sql`drop trigger die on audit.seals`.execute(db);
    expect(await sealedIds()).toEqual([]);
    expect(await sealEntries(db, 100)).toBe(50);
    expect(await sealedIds()).toHaveLength(50);
  });

  test('50 writers with random rollbacks and two sealers: every committed entry is sealed once', async () => {
    const { db } = database;
    let committed = 0;
    let writing = true;
    const writer = async (index: number) => {
      for (let round = 0; round < 8; round += 1)
        await db
          .transaction()
          .execute(async (trx) => {
            await recordAccess(trx, entry(`write.${index}`));
            if (Math.random() < 0.3) throw new Error('undone');
          })
          .then(
            () => (committed += 1),
            () => undefined,
          );
    };
    const sealer = async () => {
      while (writing || (await sealEntries(db, 1)) !== 0) await sealEntries(db, 25);
    };
    const sealers = [sealer(), sealer()];
    await Promise.all(Array.from({ length: 50 }, (_, index) => writer(index)));
    writing = false;
    await Promise.all(sealers);
    const ids = await sealedIds();
    expect(ids).toHaveLength(committed);
    expect(new Set(ids).size).toBe(committed);
  });
});
