import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  announceObjects,
  condemnObjects,
  forgetObjects,
  setStorageClass,
  settleObjects,
} from '#src/db/objects.ts';
import { insertFile, lockFile, transition } from '#src/db/files.ts';
import { foldStorage, readStorage, recountOwners, recountStorage } from '#src/db/rollups.ts';
import type { Db } from '#src/db/schema.ts';
import { billedBytes } from '#src/domain/cost.ts';
import { FILE_STATES, type FileState, TRANSITIONS } from '#src/domain/file-state.ts';
import { STORAGE_CLASSES } from '#src/domain/storage-class.ts';
import { createTestDatabase, databaseServers, type TestDatabase } from '#test/support/database.ts';

describe.each(databaseServers())('counters of what is stored on $name', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(server, { poolSize: 12 });
  });
  beforeEach(async () => {
    await sql`truncate storage_deltas, storage_totals, storage_owners, storage_owner_classes, objects, file_events, files cascade`.execute(
      database.db,
    );
  });
  afterAll(() => database.close());

  /** Counters and a count of every object, side by side. */
  async function expectEqual(): Promise<void> {
    const { totals, owners } = await readStorage(database.db, 1_000);
    expect(totals).toEqual(await recountStorage(database.db));
    const byOwner = owners
      .map(({ ownerId, objects, bytes }) => ({ ownerId, objects, bytes }))
      .toSorted((a, b) => (a.ownerId < b.ownerId ? -1 : 1));
    expect(byOwner).toEqual(await recountOwners(database.db));
    for (const owner of owners)
      expect(owner.classes.reduce((sum, each) => sum + each.bytes, 0)).toBe(owner.bytes);
  }

  async function newFile(ownerId = 'seller-1'): Promise<string> {
    const id = randomUUID();
    await insertFile(database.db, {
      id,
      kind: 'profile_photo',
      itemId: null,
      ownerId,
      position: null,
      filename: 'a.jpg',
      claimedType: null,
      claimedBytes: null,
      claimedSha256: null,
      deadlineAt: new Date(),
    });
    return id;
  }

  const PREFIXES = ['temp/uploads', 'items/original', 'items/large', 'quarantine/view'];

  /** One thing that the service does, in a transaction of its own; how it ends is chosen too. */
  type Operation = {
    readonly does: 'settle' | 'condemn' | 'forget' | 'move' | 'transition';
    readonly file: number;
    readonly prefix: string;
    readonly bytes: number;
    readonly pick: number;
    readonly ends: 'commit' | 'roll back' | 'kill';
  };
  const operation: fc.Arbitrary<Operation> = fc.record({
    does: fc.constantFrom('settle', 'settle', 'condemn', 'forget', 'move', 'transition', 'transition'),
    file: fc.nat(3),
    prefix: fc.constantFrom(...PREFIXES),
    bytes: fc.nat(200_000),
    pick: fc.nat(100),
    ends: fc.constantFrom('commit', 'commit', 'commit', 'roll back', 'kill'),
  });

  async function perform(db: Db, files: readonly string[], how: Operation): Promise<void> {
    const id = files[how.file] ?? '';
    const key = `${how.prefix}/${id}-${how.pick % 3}`;
    const file = await lockFile(db, id);
    if (how.does === 'settle') {
      await announceObjects(db, id, [key]);
      await settleObjects(db, [key], { [key]: how.bytes });
    } else if (how.does === 'condemn') await condemnObjects(db, [key]);
    else if (how.does === 'forget') await forgetObjects(db, [key]);
    else if (how.does === 'move')
      await setStorageClass(db, key, STORAGE_CLASSES[how.pick % STORAGE_CLASSES.length] ?? 'STANDARD');
    else if (file !== null) {
      const next: readonly FileState[] = TRANSITIONS[file.state];
      const to = next[how.pick % Math.max(1, next.length)];
      if (to !== undefined) await transition(db, { id, from: file.state }, to);
    }
  }

  class RolledBack extends Error {}

  async function carryOut(files: readonly string[], how: Operation): Promise<void> {
    try {
      await database.db.transaction().execute(async (trx) => {
        await perform(trx, files, how);
        if (how.ends === 'roll back') throw new RolledBack();
        if (how.ends === 'kill') {
          const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
          await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(database.db);
          await sql`select 1`.execute(trx);
        }
      });
    } catch (error) {
      if (how.ends === 'commit') throw error;
    }
  }

  test('equal a count of every object after any operations, rolled back, killed and committed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 5, maxLength: 40 }),
        fc.nat(30),
        async (operations, foldAt) => {
          const files = await Promise.all(['a', 'b', 'b', 'c'].map((owner) => newFile(owner)));
          for (const [index, how] of operations.entries()) {
            await carryOut(files, how);
            if (index === foldAt) await database.db.transaction().execute((trx) => foldStorage(trx));
          }
          await expectEqual();
        },
      ),
      { numRuns: 15 },
    );
  });

  test('equal it after the same at once, with somebody folding meanwhile', async () => {
    const [sample] = fc.sample(fc.array(operation, { minLength: 300, maxLength: 300 }), 1);
    const files = await Promise.all(['a', 'b', 'b', 'c'].map((owner) => newFile(owner)));
    const waiting = (sample ?? []).map((how) => ({
      ...how,
      ends: how.ends === 'kill' ? ('commit' as const) : how.ends,
    }));
    const lane = async () => {
      for (let how = waiting.pop(); how !== undefined; how = waiting.pop()) await carryOut(files, how);
    };
    const folding = (async () => {
      while (waiting.length > 0) await readStorage(database.db, 5);
    })();
    await Promise.all(Array.from({ length: 8 }, lane));
    await folding;
    await expectEqual();
  });

  test('an object that settles while its file changes state is counted in the new state', async () => {
    const id = await newFile();
    const key = `temp/uploads/${id}`;
    await announceObjects(database.db, id, [key]);
    const changer = new pg.Client(database.connection);
    await changer.connect();
    await changer.query('begin');
    await changer.query(`update files set state = 'received' where id = $1`, [id]);
    // Without the file's lock in hand: the trigger itself has to wait for the state.
    const settling = settleObjects(database.db, [key], { [key]: 1_000 });
    await somebodyWaits();
    await changer.query('commit');
    await changer.end();
    await settling;
    await expectEqual();
    const { totals } = await readStorage(database.db, 1);
    expect(totals).toMatchObject([{ prefix: 'temp/uploads', state: 'received', objects: 1, bytes: 1_000 }]);
  });

  /** Until some transaction waits for a lock. */
  async function somebodyWaits(): Promise<void> {
    for (;;) {
      const { rows } = await sql<{ count: number }>`
        select count(*) as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
      `.execute(database.db);
      if ((rows[0]?.count ?? 0) > 0) return;
    }
  }

  test('nobody waits for a counter: two transactions of one seller settle objects without seeing each other', async () => {
    const [first, second] = await Promise.all([newFile('busy'), newFile('busy')]);
    const client = new pg.Client(database.connection);
    await client.connect();
    await client.query('begin');
    await client.query(`insert into objects (key, file_id, state, bytes) values ($1, $2, 'live', 5)`, [
      `items/large/${first}`,
      first,
    ]);
    const key = `items/large/${second}`;
    await announceObjects(database.db, second, [key]);
    await settleObjects(database.db, [key], { [key]: 7 });
    const { totals } = await readStorage(database.db, 1);
    expect(totals).toMatchObject([{ objects: 1, bytes: 7 }]);
    await client.query('commit');
    await client.end();
    await expectEqual();
  });

  test('billed bytes are those of the cost model, for every class and any size', async () => {
    const sizes = [0, 1, 20_480, 131_071, 131_072, 131_073, 5_000_000];
    for (const storageClass of STORAGE_CLASSES)
      for (const bytes of sizes) {
        const { rows } = await sql<{ billed: number }>`
          select billed_bytes(${storageClass}, ${bytes}) as billed`.execute(database.db);
        expect(rows[0]?.billed, `${storageClass} ${bytes}`).toBe(billedBytes(storageClass, bytes).inClass);
      }
  });

  test('totals that came to nothing are not in the report', async () => {
    const id = await newFile();
    const key = `items/large/${id}`;
    await announceObjects(database.db, id, [key]);
    await settleObjects(database.db, [key], { [key]: 10 });
    await readStorage(database.db, 5);
    await condemnObjects(database.db, [key]);
    expect(await readStorage(database.db, 5)).toEqual({ totals: [], owners: [] });
    expect(FILE_STATES).toContain('ready');
  });
});
