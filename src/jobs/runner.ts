import { randomUUID } from 'node:crypto';
import type { Listener } from '../db/listener.ts';
import { claimRun, endRun, extendRun, handBackRun, type RunEnd, saveRun } from '../db/runs.ts';
import type { Database, RunRow } from '../db/schema.ts';
import { isStorageError, StorageError } from '../domain/errors.ts';
import { isRunKind, type RunAction, type RunKind, type RunProgress } from '../domain/runs.ts';
import type { Log } from '../ports/log.ts';

/** What a handler of runs works with. */
export interface RunContext {
  readonly run: { readonly id: string; readonly kind: RunKind; readonly requestedBy: string };
  readonly params: Readonly<Record<string, unknown>>;
  /** Find out and record what would be done; do none of it. */
  readonly dryRun: boolean;
  /** As the last `checkpoint` left it; null at the beginning. */
  readonly cursor: Readonly<Record<string, unknown>> | null;
  /** Aborted when the run was cancelled, given to another worker, or is to be handed back at shutdown. */
  readonly signal: AbortSignal;
  /**
   * Keeps the place, the progress and what was done since the last time, all or nothing. A run that dies goes on from the
   * last checkpoint: what was done after it may be done again. Throws ABORTED when the run is not to go on.
   */
  readonly checkpoint: (
    cursor: Readonly<Record<string, unknown>> | null,
    progress: RunProgress,
    actions?: readonly RunAction[],
  ) => Promise<void>;
}

/** Does one kind of run to its end; resolves to its result. Errors that may pass are tried again from the last checkpoint. */
export type RunHandler = (context: RunContext) => Promise<object>;
export type RunHandlers = Readonly<Partial<Record<RunKind, RunHandler>>>;

export interface RunnerDeps {
  readonly db: Database;
  readonly log: Log;
}

export interface RunnerOptions {
  /** Runs of different kinds at one time in this process. */
  readonly concurrency?: number;
  /** How long a dead worker's run stays with it. Milliseconds. */
  readonly leaseMs?: number;
  /** Waiting runs are looked for this often even when nobody tells. Milliseconds. */
  readonly pollMs?: number;
  /** Bounds of the wait after a failure that may pass; it doubles with each. Milliseconds. */
  readonly backoff?: { readonly baseMs: number; readonly capMs: number };
}

const DEFAULTS = {
  concurrency: 2,
  leaseMs: 30_000,
  pollMs: 2_000,
  backoff: { baseMs: 1_000, capMs: 60_000 },
} as const satisfies Required<RunnerOptions>;
/** Beginnings of one run without more being done, those that died with their worker included; then it fails. */
const MAX_ATTEMPTS = 8;

/**
 * Takes runs and does them, one of a kind at a time in all processes. A run whose process died goes on in another
 * from its last checkpoint; at `close` running ones are handed back and go on elsewhere.
 */
export async function startRunner(
  deps: RunnerDeps,
  listener: Pick<Listener, 'listen'>,
  handlers: RunHandlers,
  options: RunnerOptions = {},
): Promise<{ close(): Promise<void> }> {
  const settings = { ...DEFAULTS, ...options };
  const kinds = Object.keys(handlers).filter(isRunKind);
  const stopping = new AbortController();
  const atWork = new Map<string, { readonly done: Promise<void>; look(): Promise<void> }>();
  let claiming: Promise<void> | null = null;

  const claimAll = async () => {
    while (!stopping.signal.aborted && atWork.size < settings.concurrency) {
      const holder = randomUUID();
      const row = await claimRun(deps.db, kinds, holder, settings.leaseMs / 1000);
      if (row === null) return;
      const work = perform(deps, row, holder, handlers[row.kind], settings, stopping.signal);
      const done = work.done.finally(() => {
        atWork.delete(row.id);
        wake();
      });
      atWork.set(row.id, { ...work, done });
    }
  };
  const wake = () => {
    if (stopping.signal.aborted) return;
    claiming ??= claimAll()
      .catch((error: unknown) => deps.log.warn({ err: error }, 'runs could not be looked for'))
      .finally(() => {
        claiming = null;
      });
  };

  await listener.listen('localex_runs', (id) => {
    void atWork.get(id ?? '')?.look();
    wake();
  });
  const timer = setInterval(wake, settings.pollMs);
  wake();

  return {
    async close() {
      clearInterval(timer);
      stopping.abort();
      await claiming;
      await Promise.all([...atWork.values()].map(({ done }) => done));
    },
  };
}

/** One run, from its claim until it ends or is handed back. `look` asks the row now whether it is to go on. */
function perform(
  deps: RunnerDeps,
  row: RunRow,
  holder: string,
  handler: RunHandler | undefined,
  settings: Required<RunnerOptions>,
  stopping: AbortSignal,
): { done: Promise<void>; look(): Promise<void> } {
  const { db } = deps;
  const log = deps.log.child({ runId: row.id, kind: row.kind });
  const ended = new AbortController();
  const signal = AbortSignal.any([stopping, ended.signal]);
  /** Fewer again once something was done. */
  let { attempts } = row;

  /** `lost`: another worker has it. */
  const obey = (now: RunRow | null): 'go on' | 'cancelled' | 'lost' => {
    const verdict = now === null ? 'lost' : now.cancel_requested_at === null ? 'go on' : 'cancelled';
    if (verdict !== 'go on') ended.abort(verdict);
    return verdict;
  };
  const look = async () => {
    try {
      obey(await extendRun(db, row.id, holder, settings.leaseMs / 1000));
    } catch (error) {
      log.warn({ err: error }, 'the lease of a run could not be extended');
    }
  };
  const beat = setInterval(() => void look(), settings.leaseMs / 3);

  const work = async () => {
    if (row.attempts > MAX_ATTEMPTS) throw new StorageError('INTERNAL', 'The run ended too often.');
    if (handler === undefined) throw new StorageError('UNSUPPORTED', 'No worker knows this kind of run.');
    return handler({
      run: { id: row.id, kind: row.kind, requestedBy: row.requested_by },
      params: row.params,
      dryRun: row.dry_run,
      cursor: row.cursor,
      signal,
      async checkpoint(cursor, progress, actions = []) {
        const now = await db
          .transaction()
          .execute((trx) => saveRun(trx, row.id, holder, { cursor, progress, actions }));
        attempts = now?.attempts ?? attempts;
        if (obey(now) !== 'go on' || signal.aborted) throw new StorageError('ABORTED');
      },
    });
  };

  const settle = async (outcome: RunEnd | { readonly error: unknown }) => {
    const end = 'state' in outcome ? outcome : endOf(outcome.error, attempts, ended.signal);
    if (end === 'lost') return;
    if (end !== 'again') {
      await endRun(db, row.id, holder, end);
      log.info({ state: end.state }, 'a run ended');
      return;
    }
    const wait = Math.min(settings.backoff.capMs, settings.backoff.baseMs * 2 ** (attempts - 1));
    const isCounted = !stopping.aborted;
    await handBackRun(db, row.id, holder, { delaySeconds: isCounted ? wait / 1000 : 0, isCounted });
  };

  const done = work()
    .then((result): RunEnd => ({ state: 'succeeded', result }))
    .catch((error: unknown) => {
      log.warn({ err: error }, 'a run stopped');
      return { error };
    })
    .then(settle)
    // Its lease runs out, and another worker goes on with it.
    .catch((error: unknown) => log.warn({ err: error }, 'the end of a run could not be written'))
    .finally(() => clearInterval(beat));
  return { done, look };
}

/** What becomes of a run that threw. */
function endOf(error: unknown, attempts: number, ended: AbortSignal): RunEnd | 'again' | 'lost' {
  if (ended.aborted) return ended.reason === 'cancelled' ? { state: 'cancelled' } : 'lost';
  const isAborted = isStorageError(error, 'ABORTED');
  const mayPass = isStorageError(error) && error.retryable && attempts < MAX_ATTEMPTS;
  if (isAborted || mayPass) return 'again';
  const known = isStorageError(error) ? error : new StorageError('INTERNAL');
  return { state: 'failed', reason: { code: known.code, message: known.message } };
}
