import { type Kysely, sql } from 'kysely';

/**
 * What explains a verdict of a machine later: every policy that photos were judged by (`moderation_policies`), and verdicts
 * that another one took the place of (`moderation_history`). What moderators outside charge for is counted by day
 * (`moderation_charges`). Photos whose text and codes are to be read, and what came of it, are in `text_reads`.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table moderation_policies (
     version text primary key,
     name text not null,
     policy jsonb not null,
     first_used_at timestamptz not null default clock_timestamp()
   )`,
  `create table moderation_history (
     id bigint generated always as identity primary key,
     file_id uuid not null references files (id),
     moderation jsonb not null,
     run_id uuid,
     replaced_at timestamptz not null default clock_timestamp()
   )`,
  `create index moderation_history_by_file on moderation_history (file_id, id)`,
  `create table moderation_charges (
     day date not null,
     detector text not null,
     photos bigint not null,
     primary key (day, detector)
   )`,
  `create table text_reads (
     file_id uuid primary key references files (id),
     asked_at timestamptz not null default clock_timestamp(),
     outcome text check (outcome in ('read', 'given_up')),
     note text,
     lines integer not null default 0,
     codes integer not null default 0,
     versions jsonb not null default '{}',
     ended_at timestamptz,
     check ((outcome is null) = (ended_at is null))
   )`,
  `create index text_reads_waiting on text_reads (asked_at) where outcome is null`,
];
