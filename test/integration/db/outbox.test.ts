import { v7 } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  addToOutbox,
  claimOutbox,
  markDelivered,
  type OutboxTopic,
  retryOutboxLater,
  trimOutbox,
} from '#src/db/outbox.ts';
import { createTestDatabase, databaseServers, type TestDatabase } from '#test/support/database.ts';

describe.each(databaseServers())('the outbox on $name', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(server, { poolSize: 8 });
  });
  afterAll(() => database.close());
  afterEach(() => database.db.deleteFrom('outbox').execute());
  const purge = (path: string) => ({ fileId: v7(), paths: [path] });

  test('gives each row to one of many who claim at once', async () => {
    for (let count = 0; count < 40; count += 1) await addToOutbox(database.db, 'purge', purge(`p${count}`));
    const claims = await Promise.all(Array.from({ length: 8 }, () => claimOutbox(database.db, 10, 60)));
    const ids = claims.flat().map((row) => row.id);
    expect(new Set(ids).size).toBe(ids.length);
    const rest = await claimOutbox(database.db, 100, 60);
    expect(ids.length + rest.length).toBe(40);
  });

  test('gives a row again when it was not marked in time, and never once it was', async () => {
    await addToOutbox(database.db, 'purge', purge('a'));
    const [first] = await claimOutbox(database.db, 10, 0);
    const [again] = await claimOutbox(database.db, 10, 60);
    expect(again).toMatchObject({ id: first?.id, attempts: 2 });
    expect(await claimOutbox(database.db, 10, 60)).toEqual([]);
    await retryOutboxLater(database.db, first?.id ?? 0, 0);
    expect(await claimOutbox(database.db, 10, 0)).toHaveLength(1);
    await markDelivered(database.db, [first?.id ?? 0]);
    expect(await claimOutbox(database.db, 10, 0)).toEqual([]);
    expect(await trimOutbox(database.db, new Date(Date.now() + 60_000))).toBe(1);
  });

  test('gives only what follows from one file when asked so', async () => {
    const mine = purge('mine');
    await addToOutbox(database.db, 'purge', mine);
    await addToOutbox(database.db, 'purge', purge('other'));
    expect(
      (await claimOutbox(database.db, 10, 60, { fileId: mine.fileId })).map((row) => row.payload),
    ).toEqual([mine]);
  });

  test('leaves topics to other processes when asked so', async () => {
    await addToOutbox(database.db, 'restore', { fileId: v7() });
    await addToOutbox(database.db, 'purge', purge('a'));
    const topics = async (except: readonly OutboxTopic[]) =>
      (await claimOutbox(database.db, 10, 60, { except })).map((row) => row.topic);
    expect(await topics(['restore', 'derive'])).toEqual(['purge']);
    expect(await topics([])).toEqual(['restore']);
  });

  test('keeps nothing of a transaction that is rolled back', async () => {
    const failing = database.db.transaction().execute(async (trx) => {
      await addToOutbox(trx, 'purge', purge('never'));
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await claimOutbox(database.db, 10, 60)).toEqual([]);
  });
});
