import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { StorageError } from '../domain/errors.ts';
import type { Log } from '../ports/log.ts';
import type { Listener } from './listener.ts';
import { createSession } from './session.ts';

const CHANNEL = 'localex_upload_locks';
/** How often a taken lock is tried again, and its holder asked again. */
const RETRY_MS = 50;
const ASK_MS = 1000;
/** Longer than any holder needs to store what it has received. */
const WAIT_MS = 20_000;

export interface UploadLocksOptions {
  readonly connection: pg.ClientConfig;
  readonly listener: Listener;
  readonly log: Log;
}

/** Exclusive locks on uploads over all processes of one database. */
export interface UploadLocks {
  /**
   * Waits for the lock of that upload and resolves to what gives it back. Whoever holds it is asked to let go; so is
   * this holder later, by `release`, also when its lock is lost with the connection. Errors: ABORTED by the signal, BUSY
   * after 20 s, DATABASE_UNAVAILABLE.
   */
  take(id: string, signal: AbortSignal, release: () => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/**
 * Advisory locks of one session (PostgreSQL 18 manual, 13.3.5): however many are held they need one connection, and when
 * the process dies the server gives them back at once. Wishes to have one travel by NOTIFY.
 */
export async function createUploadLocks(options: UploadLocksOptions): Promise<UploadLocks> {
  const held = new Map<string, () => void>();
  const session = createSession(options, () => {
    for (const release of held.values()) release();
  });
  await options.listener.listen(CHANNEL, (id) => held.get(id ?? '')?.());

  /** False while somebody else has it. */
  async function tryTake(id: string, release: () => void): Promise<boolean> {
    if (held.has(id)) return false;
    // A session may take a lock of its own twice: within the process the map decides.
    held.set(id, release);
    try {
      if (await session.ask('select pg_try_advisory_lock(hashtextextended($1, 0)) as is', [lockName(id)]))
        return true;
      held.delete(id);
      return false;
    } catch (error) {
      held.delete(id);
      throw error;
    }
  }

  return {
    async take(id, signal, release) {
      const until = Date.now() + WAIT_MS;
      let askAt = 0;
      while (!(await tryTake(id, release))) {
        if (Date.now() >= until)
          throw new StorageError('BUSY', 'Another request still works on this upload.', { retryAfter: 2 });
        if (Date.now() >= askAt) {
          askAt = Date.now() + ASK_MS;
          await session.ask('select pg_notify($1, $2) is not null as is', [CHANNEL, id]);
        }
        await sleep(RETRY_MS, undefined, { signal }).catch(() => {
          throw new StorageError('ABORTED');
        });
      }
      return async () => {
        held.delete(id);
        // With a lost session the lock is gone too.
        await session
          .ask('select pg_advisory_unlock(hashtextextended($1, 0)) as is', [lockName(id)])
          .catch(() => undefined);
      };
    },
    close: () => session.close(),
  };
}

function lockName(id: string): string {
  return `upload:${id}`;
}
