import { describe, expect, test, vi } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import type { JobContext, JobQueue } from '#src/ports/job-queue.ts';
import { job, one, patient, type QueueProduct, settled, skipNote, useQueues } from './job-queue-harness.ts';

/** How any job queue delivers, retries and orders; see `src/ports/job-queue.ts`. */
export function describeJobQueue({ product, start, missing }: QueueProduct): void {
  describe.skipIf(missing !== undefined)(`a job queue on ${product}${skipNote(missing)}`, () => {
    const queues = useQueues(start);

    test('delivers what was enqueued, before and after the worker came, from another connection', async () => {
      const producer = await queues.open();
      const consumer = await queues.open();
      const seen: string[] = [];
      await producer.enqueue('ingest', job('early'));
      await consumer.work(
        'ingest',
        async ({ fileId, generation }) => void seen.push(`${fileId}/${generation}`),
        one,
      );
      await producer.enqueue('ingest', { fileId: 'late', generation: 7 });
      await vi.waitFor(() => expect(seen).toEqual(['early/1', 'late/7']), patient);
    });

    test('keeps kinds of jobs apart', async () => {
      const queue = await queues.open();
      const derived: string[] = [];
      const ingested: string[] = [];
      await queue.work('ingest', async ({ fileId }) => void ingested.push(fileId), one);
      await queue.work('derive', async ({ fileId }) => void derived.push(fileId), one);
      await queue.enqueue('derive', job('a'));
      await queue.enqueue('ingest', job('b'));
      await vi.waitFor(() => expect([derived, ingested]).toEqual([['a'], ['b']]), patient);
    });

    test('drops a second job of one dedupe id until the first has finished, well or badly', async () => {
      const queue = await queues.open();
      const seen: string[] = [];
      const gate = Promise.withResolvers<void>();
      await queue.enqueue('ingest', job('first'), { dedupeId: 'file' });
      await queue.enqueue('ingest', job('while-waiting'), { dedupeId: 'file' });
      const handler = async ({ fileId }: { fileId: string }) => {
        seen.push(fileId);
        if (fileId === 'first') await gate.promise;
        if (fileId === 'fails') throw new StorageError('INVALID_IMAGE');
      };
      await queue.work('ingest', handler, one);
      await vi.waitFor(() => expect(seen).toEqual(['first']), patient);
      await queue.enqueue('ingest', job('while-at-work'), { dedupeId: 'file' });
      gate.resolve();
      await enqueueUntilSeen(queue, 'fails', seen);
      await enqueueUntilSeen(queue, 'after', seen);
      expect(seen).toEqual(['first', 'fails', 'after']);
    });

    test('tries a retryable failure again after a pause and says which try is the last', async () => {
      const queue = await queues.open({ attempts: 3, backoff: { baseMs: 100, maxMs: 150 } });
      const tries: (Pick<JobContext, 'attempt' | 'isLastAttempt' | 'isExhausted'> & { at: number })[] = [];
      const handler = async (_: object, { attempt, isLastAttempt, isExhausted }: JobContext) => {
        tries.push({ attempt, isLastAttempt, isExhausted, at: performance.now() });
        throw new StorageError('STORAGE_UNAVAILABLE', undefined, { retryAfter: 0.1 });
      };
      await queue.work('ingest', handler, one);
      await queue.enqueue('ingest', job('a'));
      await vi.waitFor(() => expect(tries).toHaveLength(3), patient);
      await settled(queue);
      expect(
        tries.map(({ attempt, isLastAttempt, isExhausted }) => ({ attempt, isLastAttempt, isExhausted })),
      ).toEqual([
        { attempt: 1, isLastAttempt: false, isExhausted: false },
        { attempt: 2, isLastAttempt: false, isExhausted: false },
        { attempt: 3, isLastAttempt: true, isExhausted: false },
      ]);
      const gaps = tries.slice(1).map((entry, i) => entry.at - (tries[i]?.at ?? 0));
      for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(99);
    });

    test.each([
      ['a StorageError that is not retryable', () => new StorageError('INVALID_IMAGE')],
      ['an error nobody foresaw', () => new Error('unforeseen')],
      ['something that is no error', () => 'text'],
    ])('ends a job after %s', async (_, failure) => {
      const queue = await queues.open();
      let calls = 0;
      const handler = async ({ fileId }: { fileId: string }) => {
        if (fileId !== 'bad') return;
        calls += 1;
        await Promise.reject(failure());
      };
      await queue.work('ingest', handler, one);
      await queue.enqueue('ingest', job('bad'), { dedupeId: 'bad' });
      await vi.waitFor(() =>
        expect(queues.log.lines).toMatchObject([{ message: 'a job failed', details: { willRetry: false } }]),
      );
      await settled(queue);
      expect(calls).toBe(1);
    });

    test('takes smaller priorities first, and equal ones in their order', async () => {
      const queue = await queues.open();
      const seen: string[] = [];
      await queue.enqueue('ingest', job('later'), { priority: 20 });
      await queue.enqueue('ingest', job('default-1'));
      await queue.enqueue('ingest', job('default-2'));
      await queue.enqueue('ingest', job('sooner'), { priority: 1 });
      await queue.work('ingest', async ({ fileId }) => void seen.push(fileId), one);
      await vi.waitFor(() => expect(seen).toEqual(['sooner', 'default-1', 'default-2', 'later']), patient);
    });

    test('holds a delayed job back until its time, also when the worker is idle', async () => {
      const queue = await queues.open();
      const times: number[] = [];
      await queue.work('ingest', async () => void times.push(performance.now()), one);
      const before = performance.now();
      await queue.enqueue('ingest', job('a'), { delayMs: 300 });
      await vi.waitFor(() => expect(times).toHaveLength(1), patient);
      // The server's clock counts whole milliseconds.
      expect((times[0] ?? 0) - before).toBeGreaterThanOrEqual(299);
      expect((times[0] ?? 0) - before).toBeLessThan(2_000);
    });

    test('works on as many jobs at once as it was told, never on more', async () => {
      const queue = await queues.open();
      let now = 0;
      let most = 0;
      let done = 0;
      const together = Promise.withResolvers<void>();
      const handler = async () => {
        now += 1;
        most = Math.max(most, now);
        if (now === 3) together.resolve();
        await together.promise;
        now -= 1;
        done += 1;
      };
      for (let i = 0; i < 12; i += 1) await queue.enqueue('ingest', job(`f${i}`));
      await queue.work('ingest', handler, { concurrency: 3 });
      await vi.waitFor(() => expect(done).toBe(12), patient);
      expect(most).toBe(3);
    });

    test('refuses options that BullMQ would take wrongly', async () => {
      const queue = await queues.open();
      for (const options of [{ dedupeId: 'a:b' }, { dedupeId: '' }, { priority: -1 }, { delayMs: 0.5 }])
        await expect(queue.enqueue('ingest', job('a'), options)).rejects.toMatchObject({
          code: 'INVALID_REQUEST',
        });
      await queue.work('ingest', async () => {}, one);
      await expect(queue.work('ingest', async () => {}, one)).rejects.toMatchObject({ code: 'CONFLICT' });
    });
  });
}

/** The first job of that dedupe id is finishing: ask until it lets another one in. */
async function enqueueUntilSeen(queue: JobQueue, fileId: string, seen: readonly string[]): Promise<void> {
  await vi.waitFor(async () => {
    await queue.enqueue('ingest', job(fileId), { dedupeId: 'file' });
    await vi.waitFor(() => expect(seen).toContain(fileId), { timeout: 100 });
  }, patient);
}
