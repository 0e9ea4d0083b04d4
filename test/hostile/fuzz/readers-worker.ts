import { parentPort } from 'node:worker_threads';
import { readAll } from './readers.ts';
import type { Verdict } from './target.ts';

/** Readers in a thread of their own: one that never ends, or takes all memory, is noticed from outside. */
const answer = (verdict: Verdict) => parentPort?.postMessage(verdict, []);
parentPort?.on('message', (bytes: Uint8Array) => {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  readAll(buffer).then(
    (outcome) => answer({ outcome }),
    (error: unknown) =>
      answer({ fault: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
