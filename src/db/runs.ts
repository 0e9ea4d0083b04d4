import { sql, type UpdateObject } from 'kysely';
import type { ErrorCode } from '../domain/errors.ts';
import type { RunAction, RunKind, RunProgress } from '../domain/runs.ts';
import { jsonText } from './json.ts';
import type { Db, RunActionRow, RunRow, Schema } from './schema.ts';

export async function insertRun(
  db: Db,
  run: { id: string; kind: RunKind; dryRun: boolean; params: object; requestedBy: string },
): Promise<RunRow> {
  return db
    .insertInto('runs')
    .values({
      id: run.id,
      kind: run.kind,
      dry_run: run.dryRun,
      params: jsonText(run.params),
      requested_by: run.requestedBy,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function findRun(db: Db, id: string): Promise<RunRow | null> {
  return (await db.selectFrom('runs').selectAll().where('id', '=', id).executeTakeFirst()) ?? null;
}

/** The newest run of that kind that somebody asked for with these parameters among others. */
export async function findLatestRun(
  db: Db,
  kind: RunKind,
  requestedBy: string,
  params: object,
): Promise<RunRow | null> {
  const row = await db
    .selectFrom('runs')
    .selectAll()
    .where('kind', '=', kind)
    .where('requested_by', '=', requestedBy)
    .where(sql<boolean>`params @> ${jsonText(params)}::jsonb`)
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

/** The run before this one that somebody asked for with the same parameters, if it failed on the way. */
export async function findStoppedRun(db: Db, id: string): Promise<RunRow | null> {
  const row = await db
    .selectFrom('runs')
    .innerJoin('runs as next', (join) =>
      join
        .onRef('next.kind', '=', 'runs.kind')
        .onRef('next.dry_run', '=', 'runs.dry_run')
        .onRef('next.params', '=', 'runs.params')
        .onRef('next.id', '>', 'runs.id'),
    )
    .selectAll('runs')
    .where('next.id', '=', id)
    .where('runs.state', 'in', ['succeeded', 'failed'])
    .orderBy('runs.id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.state === 'failed' ? row : null;
}

/** Whether one of that kind waits or is at work. */
export async function isRunOpen(db: Db, kind: RunKind): Promise<boolean> {
  const row = await db
    .selectFrom('runs')
    .select('id')
    .where('kind', '=', kind)
    .where('state', 'in', ['queued', 'running'])
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Newest first; `after` is a keyset: strictly older than this. */
export async function listRuns(
  db: Db,
  page: { kind?: RunKind; after?: { createdAt: Date; id: string }; limit: number },
): Promise<RunRow[]> {
  const { kind, after } = page;
  let query = db.selectFrom('runs').selectAll();
  if (kind !== undefined) query = query.where('kind', '=', kind);
  if (after !== undefined)
    query = query.where((eb) =>
      eb.or([
        eb('created_at', '<', after.createdAt),
        eb.and([eb('created_at', '=', after.createdAt), eb('id', '<', after.id)]),
      ]),
    );
  // Ids rise with time: those of one millisecond are told apart by them.
  return query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(page.limit).execute();
}

/** What a run did, in order; `after` is the id of the last one that is known. */
export async function listRunActions(
  db: Db,
  runId: string,
  page: { after: number; limit: number },
): Promise<RunActionRow[]> {
  return db
    .selectFrom('run_actions')
    .selectAll()
    .where('run_id', '=', runId)
    .where('id', '>', page.after)
    .orderBy('id')
    .limit(page.limit)
    .execute();
}

/** One that waits ends at once; one that is at work is asked to end. Null when there is none to cancel. */
export async function requestCancel(db: Db, id: string): Promise<RunRow | null> {
  const row = await db
    .updateTable('runs')
    .set({
      cancel_requested_at: sql<Date>`coalesce(cancel_requested_at, now())`,
      state: sql<'cancelled' | 'running'>`case when state = 'queued' then 'cancelled' else state end`,
      finished_at: sql<Date | null>`case when state = 'queued' then now() else finished_at end`,
    })
    .where('id', '=', id)
    .where('state', 'in', ['queued', 'running'])
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

/**
 * Gives the next run of these kinds to `holder` for `leaseSeconds`: one that waits, or one whose worker has died. At most
 * one of a kind is at work. Null when there is none.
 */
export async function claimRun(
  db: Db,
  kinds: readonly RunKind[],
  holder: string,
  leaseSeconds: number,
): Promise<RunRow | null> {
  if (kinds.length === 0) return null;
  const result = await sql<RunRow>`
    update runs set state = 'running', holder = ${holder}, attempts = attempts + 1,
      started_at = coalesce(started_at, now()), lease_until = now() + make_interval(secs => ${leaseSeconds})
    where id = (
      select id from runs where kind in (${sql.join(kinds)}) and (
        (state = 'running' and lease_until < now())
        or (state = 'queued' and available_at <= now() and not exists (
          select 1 from runs other where other.kind = runs.kind and other.state = 'running'))
      )
      order by state = 'running' desc, created_at, id limit 1 for update skip locked
    )
    returning *
  `.execute(db);
  return result.rows[0] ?? null;
}

/** Extends the lease. The row as it is, or null when the run is not this holder's any more. */
export async function extendRun(
  db: Db,
  id: string,
  holder: string,
  leaseSeconds: number,
): Promise<RunRow | null> {
  return changeHeld(db, id, holder, {
    lease_until: sql<Date>`now() + make_interval(secs => ${leaseSeconds})`,
  });
}

/**
 * Keeps place and progress, with what was done since, all or nothing. More that is done is a new start: beginnings are
 * counted from there, so that a long run may be interrupted as often as it likes. Null as in `extendRun`.
 */
export async function saveRun(
  db: Db,
  id: string,
  holder: string,
  saved: { cursor: object | null; progress: RunProgress; actions: readonly RunAction[] },
): Promise<RunRow | null> {
  const run = await changeHeld(db, id, holder, {
    cursor: saved.cursor === null ? null : jsonText(saved.cursor),
    progress: jsonText(saved.progress),
    attempts: sql<number>`case when ${saved.progress.done}::numeric > (progress ->> 'done')::numeric
      then least(attempts, 1) else attempts end`,
  });
  if (run !== null) await insertActions(db, id, saved.actions);
  return run;
}

/** How a run ends. */
export type RunEnd =
  | { readonly state: 'succeeded'; readonly result: object }
  | { readonly state: 'failed'; readonly reason: { readonly code: ErrorCode; readonly message: string } }
  | { readonly state: 'cancelled' };

export async function endRun(db: Db, id: string, holder: string, end: RunEnd): Promise<RunRow | null> {
  return changeHeld(db, id, holder, {
    state: end.state,
    result: end.state === 'succeeded' ? jsonText(end.result) : null,
    reason_code: end.state === 'failed' ? end.reason.code : null,
    reason_message: end.state === 'failed' ? end.reason.message : null,
    finished_at: sql<Date>`now()`,
    holder: null,
    lease_until: null,
  });
}

/** Puts a run back, to go on where it was after `delaySeconds`. `isCounted: false` takes its attempt back. */
export async function handBackRun(
  db: Db,
  id: string,
  holder: string,
  { delaySeconds, isCounted }: { delaySeconds: number; isCounted: boolean },
): Promise<void> {
  await changeHeld(db, id, holder, {
    state: 'queued',
    available_at: sql<Date>`now() + make_interval(secs => ${delaySeconds})`,
    attempts: isCounted ? sql<number>`attempts` : sql<number>`greatest(attempts - 1, 0)`,
    holder: null,
    lease_until: null,
  });
}

/** Removes ended runs, and what they did, from before then. Returns how many. */
export async function trimRuns(db: Db, before: Date): Promise<number> {
  const result = await db.deleteFrom('runs').where('finished_at', '<', before).executeTakeFirst();
  return Number(result.numDeletedRows);
}

async function changeHeld(
  db: Db,
  id: string,
  holder: string,
  change: UpdateObject<Schema, 'runs'>,
): Promise<RunRow | null> {
  const row = await db
    .updateTable('runs')
    .set(change)
    .where('id', '=', id)
    .where('holder', '=', holder)
    .where('state', '=', 'running')
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

/** Records what a run did; in the transaction in which it does it, it is recorded exactly once. */
export async function insertActions(db: Db, runId: string, actions: readonly RunAction[]): Promise<void> {
  if (actions.length === 0) return;
  await db
    .insertInto('run_actions')
    .values(
      actions.map(({ action, subject, details }) => ({
        run_id: runId,
        action,
        subject,
        details: jsonText(details ?? {}),
      })),
    )
    .execute();
}
