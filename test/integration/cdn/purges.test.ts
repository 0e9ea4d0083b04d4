import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createClient } from '#src/adapters/cdn/cloudfront/client.ts';
import { createInvalidator, type Invalidator } from '#src/adapters/cdn/cloudfront/invalidator.ts';
import { createPurgeLedger, trimPurges } from '#src/db/purge-ledger.ts';
import { systemClock } from '#src/ports/clock.ts';
import type { PurgeLedger } from '#src/ports/purge-ledger.ts';
import { FAKE_CREDENTIALS, type FakeCloudfront, startFakeCloudfront } from '#test/fakes/cloudfront.ts';
import { until } from '#test/support/app.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { type LogLine, recordingLog } from '#test/support/recording-log.ts';

let database: TestDatabase;
let fake: FakeCloudfront;
let ledger: PurgeLedger;
let lines: LogLine[];
const closing: (() => void)[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  fake = await startFakeCloudfront();
  ledger = createPurgeLedger(database.db);
  lines = [];
});
afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await fake.close();
  await database.close();
});

/** One more process, with short waits. */
function invalidator(createIntervalMs = 0): Invalidator {
  const client = createClient({ endpoint: fake.endpoint, credentials: FAKE_CREDENTIALS }, 1);
  closing.push(() => client.destroy());
  return createInvalidator({
    client,
    distributionId: fake.distributionId,
    ledger,
    clock: systemClock,
    log: recordingLog(lines),
    askMs: 0,
    createIntervalMs,
    retry: { baseMs: 1, capMs: 5 },
  });
}

/** Goes on until what the ticket names is purged; whatever is in progress at CloudFront is completed each time. */
async function purged(worker: Invalidator, ticket: string): Promise<void> {
  await until('the purge to be done', async () => {
    await worker.advance();
    fake.complete();
    return (await ledger.isDone(ticket)) ? true : null;
  });
}

const sent = () => fake.invalidations.all.flatMap((one) => one.paths);
const singles = (count: number, mark = 'p') =>
  Array.from({ length: count }, (_, index) => `items/large/${mark}-${index}/x.jpg`);

describe('a purge', () => {
  test('is sent once, asked after, and done when CloudFront says so, not before', async () => {
    const ticket = await ledger.add(['items/large/a/x.jpg', 'items/large/a/x.jpg']);
    const worker = invalidator();
    await worker.advance();
    await worker.advance();
    await worker.advance();
    expect(sent()).toEqual(['/items/large/a/x.jpg']);
    expect(await ledger.isDone(ticket)).toBe(false);
    fake.complete();
    await worker.advance();
    expect(await ledger.isDone(ticket)).toBe(true);
    await worker.advance();
    expect(fake.invalidations.all).toHaveLength(1);
  });

  test('of nothing is done at once', async () => {
    expect(await ledger.isDone(await ledger.add([]))).toBe(true);
  });

  test('that comes while the same path is in progress is made again: it may have been cached between', async () => {
    const worker = invalidator();
    await ledger.add(['items/large/a/x.jpg']);
    await worker.advance();
    const second = await ledger.add(['items/large/a/x.jpg']);
    await worker.advance();
    expect(sent()).toEqual(['/items/large/a/x.jpg', '/items/large/a/x.jpg']);
    await purged(worker, second);
  });

  test('whose answer is lost is sent again under its reference, and made once', async () => {
    const ticket = await ledger.add(['items/large/a/x.jpg']);
    fake.faults.push('lost answer', 'lost answer', 'lost request');
    await purged(invalidator(), ticket);
    expect(fake.calls.filter(({ name }) => name.startsWith('POST')).length).toBe(4);
    expect(fake.invalidations.all).toHaveLength(1);
  });

  test('goes on where a dead process left it: written down, sent, or in progress', async () => {
    const ticket = await ledger.add(singles(3));
    // Formed, and the process died before it called.
    const pending = await ledger.listPending(10);
    await ledger.form(
      {
        id: '019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11',
        callerReference: 'first',
        paths: ['items/large/p-0/x.jpg'],
      },
      pending.slice(0, 1).map(({ id }) => id),
    );
    // Another one called, and died before it knew the answer.
    fake.faults.push(null, 'lost answer');
    await invalidator().advance();
    await purged(invalidator(), ticket);
    expect(fake.invalidations.all.map(({ reference }) => reference)[0]).toBe('first');
    expect(sent().toSorted()).toEqual(singles(3).map((path) => `/${path}`));
  });

  test('is made once when many processes carry it at one time', async () => {
    const ticket = await ledger.add(singles(200));
    const workers = Array.from({ length: 5 }, () => invalidator());
    for (let round = 0; round < 4; round++) await Promise.all(workers.map((worker) => worker.advance()));
    fake.complete();
    await purged(invalidator(), ticket);
    expect(sent().length).toBe(200);
    expect(new Set(sent()).size).toBe(200);
  });

  test('waits for room when 3,000 paths are in progress, in batches, and none is lost', async () => {
    const worker = invalidator();
    const ticket = await ledger.add(singles(7000));
    for (let round = 0; round < 5; round++) await worker.advance();
    expect(fake.invalidations.inProgress()).toEqual({ singles: 3000, wild: 0 });
    expect(fake.invalidations.all).toHaveLength(1);
    await purged(worker, ticket);
    expect(fake.invalidations.all.map(({ paths }) => paths.length)).toEqual([3000, 3000, 1000]);
    expect(new Set(sent()).size).toBe(7000);
    expect(lines).toEqual([]);
  });

  test('waits for room when 15 wildcards are in progress, and other paths go on', async () => {
    const worker = invalidator();
    const wild = await ledger.add(Array.from({ length: 20 }, (_, index) => `items/large/w-${index}/*`));
    const single = await ledger.add(['profiles/thumbnail/u/current']);
    await worker.advance();
    await worker.advance();
    expect(fake.invalidations.inProgress()).toEqual({ singles: 1, wild: 15 });
    fake.complete();
    await worker.advance();
    expect(await ledger.isDone(single)).toBe(true);
    expect(await ledger.isDone(wild)).toBe(false);
    await purged(worker, wild);
    expect(sent().filter((path) => path.endsWith('*'))).toHaveLength(20);
  });

  test('is sent again when somebody else’s invalidations fill the distribution', async () => {
    const others = Array.from({ length: 15 }, (_, index) => `/x/${index}/*`);
    fake.invalidations.all.push({
      id: 'IOTHER',
      reference: 'console',
      paths: others,
      createdAt: new Date(),
      completed: false,
    });
    const ticket = await ledger.add(['items/large/a/*']);
    const worker = invalidator();
    await worker.advance();
    expect(await ledger.listOpen()).toMatchObject([{ invalidationId: null, attempts: 1 }]);
    await purged(worker, ticket);
    expect(fake.invalidations.all).toHaveLength(2);
  });

  test('is tried again through throttling and outages, each time under the same reference', async () => {
    const ticket = await ledger.add(singles(10));
    fake.faults.push('throttled', 'unavailable', 'throttled', 'lost request', 'unavailable');
    await purged(invalidator(), ticket);
    expect(fake.invalidations.all).toHaveLength(1);
    expect(lines.every(({ level }) => level === 'warn')).toBe(true);
  });

  test('keeps to the pace at which CloudFront takes calls', async () => {
    fake.minCreateIntervalMs = 100;
    const worker = invalidator(120);
    const tickets = [];
    for (let index = 0; index < 3; index++) {
      tickets.push(await ledger.add(singles(1, `t${index}`)));
      await worker.advance();
    }
    for (const ticket of tickets) await purged(worker, ticket);
    const creates = fake.calls.filter(({ name }) => name.startsWith('POST')).map(({ at }) => at);
    expect(creates.length).toBe(2);
    expect((creates[1] ?? 0) - (creates[0] ?? 0)).toBeGreaterThanOrEqual(118);
    expect(lines).toEqual([]);
  });

  test('of a path that CloudFront refuses does not hold up the others', async () => {
    const ticket = await ledger.add([...singles(6), 'items/large/a b']);
    await purged(invalidator(), ticket);
    expect(sent().toSorted()).toEqual(singles(6).map((path) => `/${path}`));
    const row = await database.db
      .selectFrom('cdn_batches')
      .select(['paths', 'reason'])
      .where('state', '=', 'abandoned')
      .executeTakeFirstOrThrow();
    expect(row).toEqual({ paths: ['items/large/a b'], reason: expect.stringContaining('InvalidArgument') });
    expect(lines.some(({ level, message }) => level === 'error' && message.includes('will not purge'))).toBe(
      true,
    );
  });

  test.each(['InvalidationBatchAlreadyExists', 'InvalidArgument'] as const)(
    'whose reference was taken by other paths (%s) gets another one',
    async (conflict) => {
      fake.invalidations.conflictsAs = conflict;
      const ticket = await ledger.add(['items/large/a/x.jpg']);
      const [pending] = await ledger.listPending(1);
      await ledger.form(
        {
          id: '019a8c6e-6c1e-7b57-9d0c-2f2f0d1c7a11',
          callerReference: 'taken',
          paths: ['items/large/a/x.jpg'],
        },
        [pending?.id ?? 0],
      );
      fake.invalidations.all.push({
        id: 'IOTHER',
        reference: 'taken',
        paths: ['/x'],
        createdAt: new Date(),
        completed: true,
      });
      await purged(invalidator(), ticket);
      expect(fake.invalidations.all[1]?.paths).toEqual(['/items/large/a/x.jpg']);
    },
  );

  test('that CloudFront has forgotten is made again', async () => {
    const ticket = await ledger.add(['items/large/a/x.jpg']);
    const worker = invalidator();
    await worker.advance();
    fake.invalidations.all.length = 0;
    await purged(worker, ticket);
    expect(sent()).toEqual(['/items/large/a/x.jpg']);
  });

  test('waits, with a reason in the log, while we are not let in', async () => {
    const ticket = await ledger.add(['items/large/a/x.jpg']);
    const worker = invalidator();
    fake.faults.push('denied');
    await worker.advance();
    expect(lines).toMatchObject([
      { level: 'error', details: { reason: expect.stringContaining('AccessDenied') } },
    ]);
    await worker.advance();
    expect(fake.calls).toHaveLength(1);
    expect(await ledger.isDone(ticket)).toBe(false);
  });

  test('is forgotten a month after it was done, and not before', async () => {
    const ticket = await ledger.add(['items/large/a/x.jpg']);
    await purged(invalidator(), ticket);
    const waiting = await ledger.add(['items/large/b/x.jpg']);
    await trimPurges(database.db);
    const count = async () =>
      (await database.db.selectFrom('cdn_purges').select('id').execute()).length +
      (await database.db.selectFrom('cdn_batches').select('id').execute()).length;
    expect(await count()).toBe(3);
    const old = new Date(Date.now() - 31 * 24 * 3_600_000);
    await database.db
      .updateTable('cdn_purges')
      .set({ done_at: old })
      .where('done_at', 'is not', null)
      .execute();
    await database.db.updateTable('cdn_batches').set({ finished_at: old }).execute();
    await trimPurges(database.db);
    expect(await count()).toBe(1);
    expect(await ledger.isDone(waiting)).toBe(false);
  });
});
