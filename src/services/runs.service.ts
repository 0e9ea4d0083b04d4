import { v7 } from 'uuid';
import { recordAccess } from '../db/access-log.ts';
import { findRun, insertRun, listRunActions, listRuns, requestCancel } from '../db/runs.ts';
import type { Db, RunActionRow, RunRow } from '../db/schema.ts';
import { type AdminAction, assertMayAdminister, type Principal } from '../domain/access.ts';
import { StorageError } from '../domain/errors.ts';
import { isFileId } from '../domain/ids.ts';
import type { RunKind, RunProgress, RunState } from '../domain/runs.ts';
import { cursorOf, parseCursor } from './cursor.ts';
import type { ServiceDeps } from './deps.ts';

/** A piece of long work as operators see it. */
export interface Run {
  readonly id: string;
  readonly kind: RunKind;
  readonly state: RunState;
  /** Says what it would do, and does none of it. */
  readonly dryRun: boolean;
  readonly params: Readonly<Record<string, unknown>>;
  readonly requestedBy: string;
  readonly progress: RunProgress;
  readonly result: Readonly<Record<string, unknown>> | null;
  readonly reason: { readonly code: string; readonly message: string } | null;
  /** Whether somebody asked it to end; it ends at its next step. */
  readonly cancelRequested: boolean;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

export interface RunActionEntry {
  readonly action: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly at: string;
}

export interface RunsService {
  /** Asks for a run; a worker takes it. Every function: FORBIDDEN to who may not. */
  start(
    who: Principal,
    kind: RunKind,
    params: Readonly<Record<string, unknown>>,
    options: { readonly dryRun: boolean },
  ): Promise<Run>;
  /** Newest first. */
  list(
    who: Principal,
    page: { kind?: RunKind; after?: string; limit: number },
  ): Promise<{ runs: readonly Run[]; next: string | null }>;
  /** One run with a page of what it did, in order. NOT_FOUND. */
  get(
    who: Principal,
    id: string,
    page: { after?: string; limit: number },
  ): Promise<{ run: Run; actions: readonly RunActionEntry[]; next: string | null }>;
  /** A waiting run ends at once, one at work at its next step. CONFLICT when it is over, NOT_FOUND. */
  cancel(who: Principal, id: string): Promise<Run>;
}

/** What starting a run of that kind is, to the access rules. */
const STARTS: Readonly<Record<RunKind, AdminAction>> = {
  lifecycle: 'run_lifecycle',
  'cdn-invalidation': 'purge_cdn',
  'cdn-warm': 'warm_cdn',
  scrub: 'scrub',
  'rewrap-keys': 'rotate_keys',
  reconcile: 'reconcile',
  backup: 'backup',
  'verify-audit': 'verify_audit',
  'moderation-replay': 'replay_moderation',
  'search-rebuild': 'rebuild_search',
};

/** Long work with progress: asked for here, done by `jobs/runner.ts`. */
export function createRunsService(deps: Pick<ServiceDeps, 'db'>): RunsService {
  return {
    async start(who, kind, params, { dryRun }) {
      assertMayAdminister(who, STARTS[kind]);
      const row = await deps.db.transaction().execute(async (trx) => {
        const run = await insertRun(trx, { id: v7(), kind, dryRun, params, requestedBy: who.userId });
        await audit(trx, who, 'run.start', run);
        return run;
      });
      return toRun(row);
    },

    async list(who, { kind, after, limit }) {
      assertMayAdminister(who, 'manage_runs');
      const place = after === undefined ? null : parseCursor(after, isFileId);
      const rows = await listRuns(deps.db, {
        ...(kind !== undefined && { kind }),
        ...(place !== null && { after: { createdAt: place.at, id: place.id } }),
        limit: limit + 1,
      });
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      const next = rows.length > limit && last !== undefined ? cursorOf(last.created_at, last.id) : null;
      return { runs: shown.map(toRun), next };
    },

    async get(who, id, { after = '0', limit }) {
      assertMayAdminister(who, 'manage_runs');
      if (!/^\d{1,15}$/.test(after))
        throw new StorageError('INVALID_REQUEST', 'The page marker is not one that we gave.');
      const run = existing(await findRun(deps.db, id));
      const rows = await listRunActions(deps.db, id, { after: Number(after), limit: limit + 1 });
      const shown = rows.slice(0, limit);
      const next = rows.length > limit ? String(shown.at(-1)?.id ?? '') : null;
      return { run: toRun(run), actions: shown.map(toAction), next };
    },

    async cancel(who, id) {
      assertMayAdminister(who, 'manage_runs');
      const row = await deps.db.transaction().execute(async (trx) => {
        const cancelled = await requestCancel(trx, id);
        if (cancelled !== null) await audit(trx, who, 'run.cancel', cancelled);
        return cancelled;
      });
      if (row !== null) return toRun(row);
      existing(await findRun(deps.db, id));
      throw new StorageError('CONFLICT', 'This run is over.');
    },
  };
}

function audit(db: Db, who: Principal, action: string, run: RunRow): Promise<void> {
  const details = { runId: run.id, kind: run.kind, dryRun: run.dry_run };
  return recordAccess(db, { userId: who.userId, action, fileId: null, details });
}

function existing(run: RunRow | null): RunRow {
  if (run === null) throw new StorageError('NOT_FOUND', 'There is no such run.');
  return run;
}

function toRun(row: RunRow): Run {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    dryRun: row.dry_run,
    params: row.params,
    requestedBy: row.requested_by,
    progress: row.progress,
    result: row.result,
    reason: row.reason_code === null ? null : { code: row.reason_code, message: row.reason_message ?? '' },
    cancelRequested: row.cancel_requested_at !== null,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}

function toAction({ action, subject, details, at }: RunActionRow): RunActionEntry {
  return { action, subject, details, at: at.toISOString() };
}
