/**
 * A worker process for tests that kill it: `node job-queue-worker.ts '<JSON of its options>'`. Says every delivery in one
 * line of JSON. Its handler concludes an exhausted job; otherwise it hangs, or dies at once when told to.
 */
import { createBullmqQueue } from '#src/adapters/job-queue/bullmq.ts';
import { recordingLog } from '#test/support/recording-log.ts';
import { parseWorkerOptions } from './job-queue-worker-options.ts';

const { dies, ...options } = parseWorkerOptions(process.argv[2] ?? '');
const queue = await createBullmqQueue({ ...options, log: recordingLog() });
await queue.work(
  'ingest',
  async (payload, { attempt, isLastAttempt, isExhausted }) => {
    const line = `${JSON.stringify({ ...payload, attempt, isLastAttempt, isExhausted })}\n`;
    await new Promise<void>((resolve) => process.stdout.write(line, () => resolve()));
    if (isExhausted) return;
    if (dies) process.kill(process.pid, 'SIGKILL');
    await new Promise(() => {});
  },
  { concurrency: 1 },
);
