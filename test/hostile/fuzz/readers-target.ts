import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import type { Target, Verdict } from './target.ts';

/** Ten megabytes are read in tens of milliseconds; a busy machine is much slower. */
const LIMIT_MS = 5_000;
const MEMORY_MB = 400;
const Answer = z.union([z.strictObject({ outcome: z.string() }), z.strictObject({ fault: z.string() })]);

/** Our own readers of containers, profiles, EXIF and PDF. */
export function readersTarget(): Target {
  let worker: Worker | null = null;
  return {
    name: 'readers',
    async take(bytes) {
      worker ??= new Worker(new URL('readers-worker.ts', import.meta.url), {
        resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
      });
      const verdict = await answerOf(worker, bytes);
      if ('fault' in verdict) {
        await worker.terminate();
        worker = null;
      }
      return verdict;
    },
    async close() {
      await worker?.terminate();
    },
  };
}

function answerOf(worker: Worker, bytes: Buffer): Promise<Verdict> {
  return new Promise((resolve) => {
    const settle = (verdict: Verdict) => {
      clearTimeout(late);
      worker.off('message', answered).off('error', failed).off('exit', ended);
      resolve(verdict);
    };
    const answered = (answer: unknown) => settle(Answer.parse(answer));
    const failed = (error: unknown) => settle({ fault: String(error) });
    const ended = (code: number) => settle({ fault: `the thread ended with ${code}` });
    const late = setTimeout(() => settle({ fault: `no answer after ${LIMIT_MS} ms` }), LIMIT_MS);
    worker.on('message', answered).on('error', failed).on('exit', ended);
    worker.postMessage(bytes, []);
  });
}
