import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { StorageError } from '../domain/errors.ts';
import type { Log } from '../ports/log.ts';
import type { TextReader } from '../ports/text-reader.ts';
import { startChild } from './child.ts';
import { createProcessPool } from './pool.ts';
import { Read, type ReadCommand } from './reader/protocol.ts';

export interface TextReaderOptions {
  /** How long the process is kept without work: it holds about 600 MB. */
  readonly idleMs: number;
  /** The longest that reading one photo may take before the process is ended. */
  readonly timeoutMs: number;
  /** Resident memory at which the process is ended. */
  readonly memoryLimitMb: number;
  /** Longest edge that text is looked for in, in pixels. */
  readonly textEdge: number;
  readonly log: Log;
}

/** The entry beside this file, in TypeScript in the checkout and in JavaScript once built. */
const ENTRY = fileURLToPath(new URL(`reader/main${path.extname(import.meta.url)}`, import.meta.url));

/** Reads text and codes in one process of its own, of low priority, which begins with the first photo. */
export function createTextReader(options: TextReaderOptions): TextReader {
  const pool = createProcessPool({
    processes: 1,
    idleMs: options.idleMs,
    start: () =>
      startChild<ReadCommand>({
        entry: ENTRY,
        settings: { textEdge: options.textEdge },
        callTimeoutMs: options.timeoutMs,
        memoryLimitMb: options.memoryLimitMb,
        log: options.log,
      }),
  });
  return {
    async read(bytes, signal) {
      const process = await pool.acquire(signal);
      try {
        const answer = Read.safeParse(await process.call({ op: 'read', bytes }, signal));
        if (answer.success) return answer.data;
        process.kill();
        throw new StorageError('IMAGE_PROCESS_FAILED', undefined, { details: { reason: 'nonsense' } });
      } finally {
        pool.release(process);
      }
    },
    close: () => pool.close(),
  };
}
