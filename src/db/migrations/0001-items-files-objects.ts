import { type Kysely, sql } from 'kysely';

/**
 * The first tables: listings, files with their states, the objects they own in the store, the outbox, and what
 * idempotent requests answered. The database itself refuses a state change that the table of transitions does not
 * have, keeps positions unique, and tells listeners about each change in the transaction that makes it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table items (
     id text primary key check (id ~ '^[A-Za-z0-9_-]{1,64}$'),
     seller_id text not null,
     title text not null check (length(title) between 1 and 200),
     category text,
     status text not null default 'active' check (status in ('draft', 'active', 'sold', 'withdrawn')),
     photos_version bigint not null default 0,
     created_at timestamptz not null default date_trunc('milliseconds', now()),
     updated_at timestamptz not null default now(),
     deleted_at timestamptz
   )`,
  `create index items_by_seller on items (seller_id, created_at desc, id) where deleted_at is null`,
  `create index items_newest on items (created_at desc, id) where deleted_at is null and status = 'active'`,

  `create table file_transitions (
     from_state text not null,
     to_state text not null,
     primary key (from_state, to_state)
   )`,
  `insert into file_transitions (from_state, to_state) values
     ('pending', 'received'), ('pending', 'failed'), ('pending', 'deleting'),
     ('received', 'checking'), ('received', 'failed'), ('received', 'deleting'),
     ('checking', 'published'), ('checking', 'ready'), ('checking', 'in_review'), ('checking', 'rejected'),
     ('checking', 'failed'), ('checking', 'deleting'),
     ('in_review', 'published'), ('in_review', 'rejected'), ('in_review', 'deleting'),
     ('published', 'ready'), ('published', 'in_review'), ('published', 'taken_down'), ('published', 'failed'),
     ('published', 'deleting'),
     ('ready', 'in_review'), ('ready', 'taken_down'), ('ready', 'deleting'),
     ('rejected', 'in_review'), ('rejected', 'deleting'),
     ('taken_down', 'in_review'), ('taken_down', 'deleting'),
     ('failed', 'deleting'),
     ('deleting', 'deleted')`,

  `create table files (
     id uuid primary key,
     kind text not null check (kind in ('item_photo', 'profile_photo', 'verification_document')),
     item_id text references items (id),
     owner_id text not null,
     state text not null default 'pending',
     stage text,
     generation integer not null default 1,
     position integer check (position >= 0),
     reason_code text,
     reason_message text,
     warnings jsonb not null default '[]',
     alt text check (length(alt) <= 1000),
     filename text not null,
     claimed_type text,
     claimed_bytes bigint,
     claimed_sha256 text,
     upload_bytes bigint,
     upload_sha256 text,
     upload_etag text,
     duplicate_of uuid,
     hash12 text,
     source_format text,
     placeholder text,
     findings jsonb,
     scan jsonb,
     moderation jsonb,
     analysis jsonb,
     attempts integer not null default 0,
     deadline_at timestamptz,
     created_at timestamptz not null default now(),
     received_at timestamptz,
     published_at timestamptz,
     finished_at timestamptz,
     waiting_since timestamptz,
     updated_at timestamptz not null default now(),
     check ((kind = 'item_photo') = (item_id is not null)),
     exclude using btree (item_id with =, position with =)
       where (position is not null) deferrable initially deferred
   )`,
  `create index files_by_item on files (item_id, position) where position is not null`,
  `create index files_by_owner on files (owner_id, kind, id)`,
  `create index files_unfinished on files (deadline_at) where state in ('pending', 'received', 'checking', 'published')`,
  `create index files_in_review on files (waiting_since, id) where state = 'in_review'`,
  `create index files_deleting on files (updated_at) where state = 'deleting'`,
  `create index files_by_upload_hash on files (item_id, upload_sha256) where position is not null`,

  `create function refuse_illegal_transition() returns trigger language plpgsql as $$
   begin
     if tg_op = 'INSERT' then
       if new.state <> 'pending' then
         raise exception 'a file begins as pending, not %', new.state using errcode = 'LX001';
       end if;
     elsif new.state <> old.state then
       if not exists (select 1 from file_transitions t where t.from_state = old.state and t.to_state = new.state) then
         raise exception 'a file cannot go from % to %', old.state, new.state using errcode = 'LX001';
       end if;
       if new.state = 'in_review' then
         new.waiting_since := date_trunc('milliseconds', clock_timestamp());
       end if;
     end if;
     new.updated_at := date_trunc('milliseconds', clock_timestamp());
     return new;
   end $$`,
  `create trigger files_transition before insert or update on files
     for each row execute function refuse_illegal_transition()`,

  `create table file_events (
     id bigint generated always as identity primary key,
     file_id uuid not null,
     item_id text,
     owner_id text not null,
     state text not null,
     stage text,
     reason_code text,
     at timestamptz not null default clock_timestamp()
   )`,
  `create index file_events_by_file on file_events (file_id, id)`,
  `create index file_events_by_time on file_events (at)`,

  `create function tell_file_change() returns trigger language plpgsql as $$
   begin
     if tg_op = 'INSERT' or new.state <> old.state or new.stage is distinct from old.stage then
       insert into file_events (file_id, item_id, owner_id, state, stage, reason_code)
         values (new.id, new.item_id, new.owner_id, new.state, new.stage, new.reason_code);
     end if;
     perform pg_notify('localex_files', json_build_object(
       'fileId', new.id, 'itemId', new.item_id, 'ownerId', new.owner_id, 'kind', new.kind)::text);
     return null;
   end $$`,
  `create trigger files_tell after insert or update on files
     for each row execute function tell_file_change()`,

  `create table variants (
     file_id uuid not null references files (id),
     name text not null check (name in ('original', 'large', 'medium', 'thumbnail')),
     format text not null check (format in ('jpeg', 'webp', 'png', 'avif')),
     key text not null unique,
     bytes bigint not null,
     width integer not null,
     height integer not null,
     sha256 text not null,
     report jsonb not null,
     created_at timestamptz not null default now(),
     primary key (file_id, name, format)
   )`,

  `create table objects (
     key text primary key,
     file_id uuid not null references files (id),
     state text not null check (state in ('writing', 'live', 'deleting')),
     created_at timestamptz not null default now(),
     updated_at timestamptz not null default now()
   )`,
  `create index objects_by_file on objects (file_id)`,
  `create index objects_not_live on objects (updated_at) where state <> 'live'`,

  `create table outbox (
     id bigint generated always as identity primary key,
     topic text not null,
     file_id uuid,
     payload jsonb not null,
     attempts integer not null default 0,
     available_at timestamptz not null default now(),
     created_at timestamptz not null default now(),
     delivered_at timestamptz
   )`,
  `create index outbox_waiting on outbox (available_at, id) where delivered_at is null`,
  `create index outbox_delivered on outbox (delivered_at) where delivered_at is not null`,
  `create function tell_outbox() returns trigger language plpgsql as $$
   begin
     perform pg_notify('localex_outbox', '');
     return null;
   end $$`,
  `create trigger outbox_tell after insert on outbox for each statement execute function tell_outbox()`,

  `create table idempotency_keys (
     caller text not null,
     route text not null,
     key text not null,
     holder text not null,
     fingerprint text,
     file_id uuid,
     finished_at timestamptz,
     created_at timestamptz not null default now(),
     expires_at timestamptz not null,
     primary key (caller, route, key)
   )`,
  `create index idempotency_keys_expiry on idempotency_keys (expires_at)`,

  `create table review_decisions (
     id bigint generated always as identity primary key,
     file_id uuid not null references files (id),
     moderator_id text not null,
     decision text not null check (decision in ('approve', 'reject', 'takedown')),
     reason text not null,
     decided_at timestamptz not null default now()
   )`,
  `create index review_decisions_by_file on review_decisions (file_id, id)`,

  `create table appeals (
     id bigint generated always as identity primary key,
     file_id uuid not null references files (id),
     user_id text not null,
     message text not null,
     created_at timestamptz not null default now()
   )`,
  `create index appeals_by_file on appeals (file_id, id)`,

  `create table document_keys (
     file_id uuid primary key references files (id),
     key_id text not null,
     ciphertext bytea not null,
     created_at timestamptz not null default now()
   )`,

  `create table access_log (
     id bigint generated always as identity primary key,
     at timestamptz not null default clock_timestamp(),
     user_id text not null,
     action text not null,
     file_id uuid,
     details jsonb not null default '{}'
   )`,
  `create index access_log_by_file on access_log (file_id, id)`,

  `create table leases (
     name text primary key,
     holder text not null,
     expires_at timestamptz not null
   )`,
];
