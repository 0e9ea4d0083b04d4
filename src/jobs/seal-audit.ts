import { setTimeout as pause } from 'node:timers/promises';
import { sealEntries } from '../db/audit/sealing.ts';
import type { Database } from '../db/schema.ts';
import type { Log } from '../ports/log.ts';

/** Entries are sealed within a second of their commit: asked for twice as often. Milliseconds. */
const EVERY_MS = 400;
/** Rows in one transaction; a longer queue is sealed in several, one after another. */
const BATCH = 1000;

/** Seals the audit ledger for as long as the process runs. Every worker may; one of them does at a time. */
export function startSealer(
  { db, log }: { readonly db: Database; readonly log: Log },
  everyMs: number = EVERY_MS,
): { close(): Promise<void> } {
  const stopping = new AbortController();
  const { signal } = stopping;
  const run = async () => {
    while (!signal.aborted) {
      const sealed = await sealEntries(db, BATCH).catch((error: unknown) => {
        log.warn({ err: error }, 'audit entries could not be sealed');
        return null;
      });
      if (sealed === BATCH) continue;
      await pause(everyMs, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    async close() {
      stopping.abort();
      await running;
    },
  };
}
