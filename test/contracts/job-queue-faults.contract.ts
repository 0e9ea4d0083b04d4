import { describe, expect, test, vi } from 'vitest';
import { StorageError } from '#src/domain/errors.ts';
import type { JobContext } from '#src/ports/job-queue.ts';
import {
  job,
  LOCK_MS,
  one,
  patient,
  type QueueProduct,
  settled,
  skipNote,
  useQueues,
} from './job-queue-harness.ts';
import type { Delivery } from './job-queue-worker-options.ts';

/** What the adapter promises: lockMs · 5/3, and something for a busy machine. */
const RECOVERY_MS = (LOCK_MS * 5) / 3 + 1_500;

/** How any job queue comes through killed processes, shutdowns and a server that goes away. */
export function describeJobQueueFaults({ product, start, missing }: QueueProduct): void {
  describe.skipIf(missing !== undefined)(`faults of a job queue on ${product}${skipNote(missing)}`, () => {
    const queues = useQueues(start);

    test('delivers again what a killed process held, as another try', async () => {
      const queue = await queues.open();
      const held = queues.startWorker(3, false);
      await queue.enqueue('ingest', job('a'));
      await vi.waitFor(() => expect(held.deliveries).toMatchObject([{ fileId: 'a', attempt: 1 }]), patient);
      held.child.kill('SIGKILL');
      await held.exited;
      const killed = performance.now();
      const seen: number[] = [];
      await queue.work('ingest', async (_, { attempt }) => void seen.push(attempt), one);
      await vi.waitFor(() => expect(seen).toEqual([2]), patient);
      expect(performance.now() - killed).toBeLessThan(RECOVERY_MS);
    }, 20_000);

    test('keeps a job that takes longer than its lock', async () => {
      const queue = await queues.open({ lockMs: 500 });
      const second = await queues.open({ lockMs: 500 });
      const tries: number[] = [];
      const gate = Promise.withResolvers<void>();
      const handler = async (_: object, { attempt }: JobContext) => {
        tries.push(attempt);
        await gate.promise;
      };
      await queue.work('ingest', handler, one);
      await second.work('ingest', handler, one);
      await queue.enqueue('ingest', job('long'));
      await queue.enqueue('derive', job('clock'), { delayMs: 1_600 });
      const rang = Promise.withResolvers<void>();
      await queue.work('derive', async () => rang.resolve(), one);
      await rang.promise;
      gate.resolve();
      await settled(queue);
      expect(tries).toEqual([1]);
    });

    test('lets the handler conclude a job that killed its process at every try', async () => {
      const queue = await queues.open();
      await queue.enqueue('ingest', job('poison'));
      const deliveries: Delivery[] = [];
      while (!deliveries.at(-1)?.isExhausted) {
        const worker = queues.startWorker(2, true);
        await vi.waitFor(() => expect(worker.deliveries).toHaveLength(1), patient);
        deliveries.push(...worker.deliveries);
        if (!deliveries.at(-1)?.isExhausted) await worker.exited;
      }
      expect(deliveries).toEqual([
        { fileId: 'poison', attempt: 1, isLastAttempt: false, isExhausted: false },
        { fileId: 'poison', attempt: 2, isLastAttempt: true, isExhausted: false },
        { fileId: 'poison', attempt: 3, isLastAttempt: true, isExhausted: true },
      ]);
    }, 30_000);

    test('waits at close for the jobs at work and takes no new ones', async () => {
      const queue = await queues.open();
      const other = await queues.open();
      const seen: string[] = [];
      const gate = Promise.withResolvers<void>();
      const handler = async ({ fileId }: { fileId: string }) => {
        seen.push(`${fileId} begins`);
        await gate.promise;
        seen.push(`${fileId} ends`);
      };
      await queue.work('ingest', handler, one);
      await queue.enqueue('ingest', job('a'));
      await vi.waitFor(() => expect(seen).toEqual(['a begins']), patient);
      const closed = queue.close(5_000).then(() => void seen.push('closed'));
      await other.enqueue('ingest', job('b'));
      gate.resolve();
      await closed;
      expect(seen).toEqual(['a begins', 'a ends', 'closed']);
      await expect(queue.enqueue('ingest', job('c'))).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
      await other.work('ingest', async ({ fileId }) => void seen.push(fileId), one);
      await vi.waitFor(() => expect(seen.at(-1)).toBe('b'), patient);
    });

    test.each([
      ['listens to its signal', true],
      ['is deaf', false],
    ])('hands a job back at the deadline when its handler %s', async (_, listens) => {
      const queue = await queues.open();
      const other = await queues.open();
      const begun = Promise.withResolvers<void>();
      const handler = async (_payload: object, { signal }: JobContext) => {
        begun.resolve();
        await new Promise<void>((_resolve, reject) => {
          if (listens) signal.addEventListener('abort', () => reject(new StorageError('ABORTED')));
        });
      };
      await queue.work('ingest', handler, one);
      await queue.enqueue('ingest', job('a'));
      await begun.promise;
      const before = performance.now();
      await queue.close(100);
      expect(performance.now() - before).toBeLessThan(2_500);
      const seen: number[] = [];
      await other.work('ingest', async (_payload, { attempt }) => void seen.push(attempt), one);
      // At once, not after the lock; and the interrupted try does not count.
      await vi.waitFor(() => expect(seen).toEqual([1]), { timeout: LOCK_MS / 2 });
    });

    test('does not start on a server that is not there', async () => {
      await expect(queues.open({ connection: queues.server.unreachable })).rejects.toMatchObject({
        code: 'QUEUE_UNAVAILABLE',
      });
    });

    test('goes on after its server was away, having said so and refused meanwhile', async () => {
      const queue = await queues.open();
      const seen: string[] = [];
      const gate = Promise.withResolvers<void>();
      const handler = async ({ fileId }: { fileId: string }) => {
        seen.push(fileId);
        if (fileId === 'during') await gate.promise;
      };
      await queue.work('ingest', handler, { concurrency: 2 });
      await queue.enqueue('ingest', job('during'));
      await vi.waitFor(() => expect(seen).toEqual(['during']), patient);
      await queue.ping();
      await queues.server.halt();
      try {
        await expect(queue.ping(AbortSignal.timeout(4_000))).rejects.toMatchObject({
          code: 'QUEUE_UNAVAILABLE',
        });
        await expect(queue.enqueue('ingest', job('x'))).rejects.toMatchObject({
          code: 'QUEUE_UNAVAILABLE',
        });
        gate.resolve();
        await vi.waitFor(
          () => expect(queues.log.lines.map(({ message }) => message)).toContain('the job queue complains'),
          { timeout: 10_000 },
        );
      } finally {
        await queues.server.resume();
      }
      await vi.waitFor(() => queue.enqueue('ingest', job('after')), { timeout: 10_000 });
      await vi.waitFor(() => expect(seen).toContain('after'), { timeout: 10_000 });
    }, 40_000);
  });
}
