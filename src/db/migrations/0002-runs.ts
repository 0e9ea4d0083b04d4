import { type Kysely, sql } from 'kysely';

/**
 * Long work of operators: what was asked, how far it is, what it did. A run is claimed by one worker at a time, keeps its
 * place (`cursor`) and goes on there when its worker dies. Tells listeners of each new run and each wish to cancel.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table runs (
     id uuid primary key,
     kind text not null check (kind ~ '^[a-z][a-z-]{1,40}$'),
     state text not null default 'queued'
       check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
     dry_run boolean not null,
     params jsonb not null default '{}',
     requested_by text not null,
     cursor jsonb,
     progress jsonb not null default '{"done": 0, "total": null, "note": null}',
     result jsonb,
     reason_code text,
     reason_message text,
     attempts integer not null default 0,
     holder text,
     lease_until timestamptz,
     available_at timestamptz not null default now(),
     cancel_requested_at timestamptz,
     created_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
     started_at timestamptz,
     finished_at timestamptz
   )`,
  `create index runs_newest on runs (created_at desc, id)`,
  `create index runs_open on runs (created_at, id) where state in ('queued', 'running')`,
  `create unique index runs_one_at_a_time on runs (kind) where state = 'running'`,

  `create table run_actions (
     id bigint generated always as identity primary key,
     run_id uuid not null references runs (id) on delete cascade,
     action text not null,
     subject text not null,
     details jsonb not null default '{}',
     at timestamptz not null default clock_timestamp()
   )`,
  `create index run_actions_by_run on run_actions (run_id, id)`,

  `create function tell_run() returns trigger language plpgsql as $$
   begin
     perform pg_notify('localex_runs', new.id::text);
     return null;
   end $$`,
  `create trigger runs_tell after insert or update of cancel_requested_at on runs
     for each row execute function tell_run()`,
];
