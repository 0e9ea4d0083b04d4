import { type Kysely, sql } from 'kysely';

/**
 * What the CDN is to forget, so that no purge is lost whoever dies: paths as they were asked for (`ticket` names one
 * call), the batches they were sent in, each written down under its caller reference before it is sent. Beside them how
 * long answers may be kept (`cdn_cache_rules`), and the proof that what was withdrawn is no longer answered
 * (`cdn_probes`).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table cdn_batches (
     id uuid primary key,
     caller_reference text not null unique,
     paths jsonb not null,
     state text not null default 'open' check (state in ('open', 'completed', 'replaced', 'abandoned')),
     invalidation_id text,
     attempts integer not null default 0,
     due_at timestamptz not null default now(),
     reason text,
     created_at timestamptz not null default clock_timestamp(),
     sent_at timestamptz,
     finished_at timestamptz
   )`,
  `create index cdn_batches_open on cdn_batches (created_at, id) where state = 'open'`,
  `create index cdn_batches_finished on cdn_batches (finished_at) where finished_at is not null`,

  `create table cdn_purges (
     id bigint generated always as identity primary key,
     ticket uuid not null,
     path text not null,
     batch_id uuid references cdn_batches (id),
     requested_at timestamptz not null default now(),
     done_at timestamptz
   )`,
  `create index cdn_purges_pending on cdn_purges (id) where batch_id is null and done_at is null`,
  `create index cdn_purges_undone on cdn_purges (ticket) where done_at is null`,
  `create index cdn_purges_by_batch on cdn_purges (batch_id)`,
  `create function tell_purges() returns trigger language plpgsql as $$
   begin
     perform pg_notify('localex_purges', '');
     return null;
   end $$`,
  `create trigger cdn_purges_tell after insert on cdn_purges for each statement execute function tell_purges()`,

  `create table cdn_cache_rules (
     pattern text primary key,
     policy jsonb not null,
     updated_at timestamptz not null default now()
   )`,

  `create table cdn_probes (
     id bigint generated always as identity primary key,
     file_id uuid not null references files (id),
     ticket text not null,
     paths jsonb not null,
     state text not null default 'waiting'
       check (state in ('waiting', 'gone', 'superseded', 'served', 'unanswered')),
     answers jsonb not null default '[]',
     attempts integer not null default 0,
     due_at timestamptz not null default now(),
     created_at timestamptz not null default clock_timestamp(),
     probed_at timestamptz
   )`,
  `create index cdn_probes_due on cdn_probes (due_at, id) where state = 'waiting'`,
  `create index cdn_probes_by_file on cdn_probes (file_id, id)`,
];
