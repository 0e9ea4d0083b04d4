import { sql } from 'kysely';
import { v7 } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '#src/db/connect.ts';
import { createFileEvents } from '#src/db/file-events.ts';
import { insertFile, lockFile } from '#src/db/files.ts';
import { claimKey, extendKey, findKey, finishKey, releaseKey } from '#src/db/idempotency.ts';
import { takeLease } from '#src/db/leases.ts';
import { createListener, type Listener } from '#src/db/listener.ts';
import { announceObjects, condemnLate, condemnObjects, listObjects, settleObjects } from '#src/db/objects.ts';
import { until } from '#test/support/app.ts';
import { createTestDatabase, databaseServers, type TestDatabase } from '#test/support/database.ts';
import { silentLog } from '#test/support/silent-log.ts';

describe.each(databaseServers())('on $name', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(server, { poolSize: 8 });
  });
  afterAll(() => database.close());

  function newFile() {
    return insertFile(database.db, {
      id: v7(),
      kind: 'profile_photo',
      itemId: null,
      ownerId: 'user',
      position: null,
      filename: 'x.jpg',
      claimedType: null,
      claimedBytes: null,
      claimedSha256: null,
      deadlineAt: new Date(),
    });
  }

  describe('an idempotency key', () => {
    const scope = () => ({ caller: 'me', route: 'r', key: v7() });

    test('belongs to one of many who claim it at once', async () => {
      const key = scope();
      const holders = Array.from({ length: 8 }, (_, index) => `holder-${index}`);
      const rows = await Promise.all(holders.map((holder) => claimKey(database.db, key, holder, 60)));
      expect(new Set(rows.map((row) => row.holder)).size).toBe(1);
    });

    test('is taken over once its claim has run out, and not before', async () => {
      const key = scope();
      await claimKey(database.db, key, 'dead', 60);
      expect((await claimKey(database.db, key, 'next', 60)).holder).toBe('dead');
      await extendKey(database.db, key, 'dead', -1);
      expect((await claimKey(database.db, key, 'next', 60)).holder).toBe('next');
      await releaseKey(database.db, key, 'dead');
      await finishKey(database.db, key, 'dead', { fileId: v7(), fingerprint: 'f', seconds: 60 });
      expect(await findKey(database.db, key)).toMatchObject({ holder: 'next', finished: false });
      await releaseKey(database.db, key, 'next');
      expect(await findKey(database.db, key)).toBeNull();
    });

    test('that is finished is not released', async () => {
      const key = scope();
      await claimKey(database.db, key, 'me', 60);
      await finishKey(database.db, key, 'me', { fileId: v7(), fingerprint: 'f', seconds: 60 });
      await releaseKey(database.db, key, 'me');
      expect(await findKey(database.db, key)).toMatchObject({ finished: true, fingerprint: 'f' });
    });
  });

  test('a lease is held by one, extended by its holder, and free once it ran out', async () => {
    const taken = await Promise.all(
      ['a', 'b', 'c'].map((holder) => takeLease(database.db, 'sweep', holder, 60)),
    );
    expect(taken.filter(Boolean)).toHaveLength(1);
    const holder = ['a', 'b', 'c'][taken.indexOf(true)] ?? '';
    expect(await takeLease(database.db, 'sweep', holder, -1)).toBe(true);
    expect(await takeLease(database.db, 'sweep', 'd', 60)).toBe(true);
    expect(await takeLease(database.db, 'sweep', holder, 60)).toBe(false);
  });

  describe('names of objects', () => {
    test('that were condemned cannot be stood on, those announced again can', async () => {
      const { id } = await newFile();
      const key = `temp/uploads/${id}`;
      await announceObjects(database.db, id, [key]);
      expect(await condemnObjects(database.db, [key])).toEqual([key]);
      await expect(settleObjects(database.db, [key])).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      await announceObjects(database.db, id, [key]);
      await settleObjects(database.db, [key]);
      await announceObjects(database.db, id, [key]);
      expect(await listObjects(database.db, id)).toEqual([{ key, state: 'live' }]);
      await expect(settleObjects(database.db, ['never/announced'])).rejects.toMatchObject({
        code: 'STORAGE_UNAVAILABLE',
      });
    });

    test('of late work are condemned, also when nobody names them any more, but not those a row stands on', async () => {
      const { id } = await newFile();
      await announceObjects(database.db, id, ['a/live', 'a/writing']);
      await settleObjects(database.db, ['a/live']);
      const condemned = await condemnLate(database.db, id, ['a/live', 'a/writing', 'a/forgotten']);
      expect(condemned.toSorted()).toEqual(['a/forgotten', 'a/writing']);
    });

    test('can be added while the row of their file is locked', async () => {
      const { id } = await newFile();
      await database.db.transaction().execute(async (trx) => {
        await lockFile(trx, id);
        await announceObjects(database.db, id, [`b/${id}`]);
      });
      expect(await listObjects(database.db, id)).toHaveLength(1);
    });
  });

  describe('errors', () => {
    test('of a connection that was cut, a statement that took too long and a full pool may be tried again', async () => {
      const small = connect({
        connection: database.connection,
        poolSize: 1,
        statementTimeoutMs: 100,
        log: silentLog,
      });
      await expect(sql`select pg_sleep(5)`.execute(small)).rejects.toMatchObject({
        code: 'DATABASE_UNAVAILABLE',
      });
      await expect(sql`select pg_terminate_backend(pg_backend_pid())`.execute(small)).rejects.toMatchObject({
        code: 'DATABASE_UNAVAILABLE',
      });
      // The pool may not know yet that the connection is gone: the next try says so, and the one after has another.
      await until('another connection', () =>
        sql`select 1`.execute(small).then(
          () => true,
          () => null,
        ),
      );
      await small.destroy();
    });

    test('of a transaction whose connection is cut leave no half state', async () => {
      const { id } = await newFile();
      const cut = database.db.transaction().execute(async (trx) => {
        await announceObjects(trx, id, [`c/${id}`]);
        await sql`select pg_terminate_backend(pg_backend_pid())`.execute(trx);
      });
      await expect(cut).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
      expect(await listObjects(database.db, id)).toEqual([]);
    });

    test('of two who wait for each other: one is told to try again', async () => {
      const [one, two] = [await newFile(), await newFile()];
      const both = Promise.withResolvers<void>();
      let arrived = 0;
      const take = (first: string, second: string) =>
        database.db.transaction().execute(async (trx) => {
          await lockFile(trx, first);
          arrived += 1;
          if (arrived === 2) both.resolve();
          await both.promise;
          await lockFile(trx, second);
        });
      const results = await Promise.allSettled([take(one.id, two.id), take(two.id, one.id)]);
      const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
      expect(failed).toMatchObject([{ code: 'DATABASE_UNAVAILABLE' }]);
    });

    test('of a server that is not there, and of text that cannot be stored', async () => {
      const nobody = connect({
        connection: { host: '127.0.0.1', port: 1, user: 'x', database: 'x' },
        poolSize: 1,
        statementTimeoutMs: 1000,
        log: silentLog,
      });
      await expect(sql`select 1`.execute(nobody)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
      await nobody.destroy();
      await expect(sql`select ${'nul \0'}::text`.execute(database.db)).rejects.toMatchObject({
        code: 'INVALID_REQUEST',
      });
      await expect(sql`select 1/0`.execute(database.db)).rejects.toMatchObject({ code: '22012' });
    });
  });

  describe('notifications', () => {
    let listener: Listener | null = null;
    afterEach(async () => {
      await listener?.close();
      listener = null;
    });

    test('come after the commit, never for what was rolled back, and tell of file and listing', async () => {
      const heard: (string | null)[] = [];
      listener = createListener({ connection: database.connection, log: silentLog });
      await listener.listen('localex_files', (payload) => heard.push(payload));
      const seen = () => heard.map((payload) => (payload === null ? null : JSON.parse(payload).fileId));
      let rolledBack = '';
      await database.db
        .transaction()
        .execute(async (trx) => {
          rolledBack = (await insertInside(trx)).id;
          throw new Error('no');
        })
        .catch(() => undefined);
      const committed = await database.db.transaction().execute(async (trx) => {
        const file = await insertInside(trx);
        await sql`select 1`.execute(database.db);
        expect(seen()).not.toContain(file.id);
        return file;
      });
      await until('the notification', async () => (seen().includes(committed.id) ? true : null));
      expect(seen()).not.toContain(rolledBack);
    });

    test('go on after the connection was cut; meanwhile listeners are told to look for themselves', async () => {
      const heard: (string | null)[] = [];
      listener = createListener({
        connection: { ...database.connection, application_name: 'cut-me' },
        log: silentLog,
        pollMs: 20,
      });
      await listener.listen('localex_test', (payload) => heard.push(payload));
      await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'cut-me'`.execute(
        database.db,
      );
      await until('to be told to look', async () => (heard.includes(null) ? true : null));
      const heardAgain = await until('a notification on the new connection', async () => {
        await sql`select pg_notify('localex_test', 'again')`.execute(database.db);
        return heard.includes('again') ? true : null;
      });
      expect(heardAgain).toBe(true);
    });

    test('that a listener fails at do not reach the process, nor keep others from theirs', async () => {
      listener = createListener({ connection: database.connection, log: silentLog });
      const events = await createFileEvents(listener);
      const file = await newFile();
      const heard: string[] = [];
      events.subscribe({ fileId: file.id }, (change) => heard.push(change?.fileId ?? 'all'));
      await sql`select pg_notify('localex_files', 'not json')`.execute(database.db);
      await database.db.updateTable('files').set({ alt: 'x' }).where('id', '=', file.id).execute();
      await until('the notification', async () => (heard.includes(file.id) ? true : null));
      expect(new Set(heard)).toEqual(new Set([file.id]));
    });
  });

  function insertInside(trx: Parameters<typeof insertFile>[0]) {
    return insertFile(trx, {
      id: v7(),
      kind: 'profile_photo',
      itemId: null,
      ownerId: 'user',
      position: null,
      filename: 'x.jpg',
      claimedType: null,
      claimedBytes: null,
      claimedSha256: null,
      deadlineAt: new Date(),
    });
  }
});
