import { type Kysely, sql } from 'kysely';

/**
 * What the lifecycle of stored bytes needs: when listings were last active and photos last looked at, whether an
 * original is archived, legal holds that the database itself keeps, and sizes and classes of objects. Safe on a full
 * table: listings begin as active now, since views before now were not recorded.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...ACTIVITY, ...ARCHIVE, ...HOLDS, ...OBJECTS])
    await sql.raw(statement).execute(db);
}

const ACTIVITY = [
  `alter table items add column last_activity_at timestamptz not null default now()`,
  `create table file_views (
     file_id uuid primary key references files (id),
     last_viewed_at timestamptz not null
   )`,
  `create table lifecycle_marks (
     name text primary key check (name in ('views_known_since', 'usage_ingested_until')),
     at timestamptz not null
   )`,
  `insert into lifecycle_marks (name, at) values ('views_known_since', now())`,
];

const ARCHIVE = [
  `alter table files add column archive text not null default 'none'
     check (archive in ('none', 'archived', 'restoring'))`,
  `create index files_archivable on files (id) where archive = 'none' and state = 'ready' and kind <> 'profile_photo'`,
  `create index files_archived on files (item_id) where archive = 'archived'`,
  `create index files_restoring on files (id) where archive = 'restoring'`,
  `create index files_refused on files (finished_at, id) where state in ('rejected', 'taken_down')`,

  // What leaves "ready" has no archive any more: its objects are removed, or lie elsewhere.
  `create function refuse_illegal_archive() returns trigger language plpgsql as $$
   begin
     if tg_op = 'INSERT' then
       if new.archive <> 'none' then
         raise exception 'a file does not begin as %', new.archive using errcode = 'LX001';
       end if;
       return new;
     end if;
     if new.state <> old.state and new.state <> 'ready' then
       new.archive := 'none';
     elsif new.archive <> old.archive and not (
       (old.archive = 'none' and new.archive = 'archived' and new.state = 'ready' and new.kind <> 'profile_photo')
       or (old.archive = 'archived' and new.archive = 'restoring')
       or (old.archive = 'restoring' and new.archive = 'none')
     ) then
       raise exception 'a % that is % cannot go from % to %', new.kind, new.state, old.archive, new.archive
         using errcode = 'LX001';
     end if;
     return new;
   end $$`,
  `create trigger files_archive before insert or update on files
     for each row execute function refuse_illegal_archive()`,
];

const HOLDS = [
  `create table holds (
     id bigint generated always as identity primary key,
     file_id uuid not null references files (id),
     reason text not null check (length(reason) between 1 and 1000),
     placed_by text not null,
     placed_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
     lifted_by text,
     lifted_at timestamptz,
     check ((lifted_by is null) = (lifted_at is null))
   )`,
  `create unique index holds_in_force on holds (file_id) where lifted_at is null`,

  `create function is_held(held_file uuid) returns boolean language sql stable as $$
     select exists (select 1 from holds where file_id = held_file and lifted_at is null)
   $$`,
  `create function refuse_removal_under_hold() returns trigger language plpgsql as $$
   begin
     if is_held(old.id) then
       raise exception 'the file is under legal hold' using errcode = 'LX004';
     end if;
     return new;
   end $$`,
  `create trigger files_hold before update of state on files for each row
     when (new.state in ('deleting', 'deleted') and new.state <> old.state)
     execute function refuse_removal_under_hold()`,

  `create function refuse_shredding_under_hold() returns trigger language plpgsql as $$
   begin
     if is_held(old.file_id) then
       raise exception 'the document is under legal hold' using errcode = 'LX004';
     end if;
     return old;
   end $$`,
  `create trigger document_keys_hold before delete on document_keys
     for each row execute function refuse_shredding_under_hold()`,

  // Checked at the commit, so that bytes may be given another place within a transaction.
  `create function refuse_losing_evidence() returns trigger language plpgsql as $$
   begin
     if is_held(old.file_id) and not exists (
       select 1 from objects where file_id = old.file_id and state = 'live'
         and split_part(key, '/', 2) in ('uploads', 'raw', 'view', 'original', 'documents')
     ) then
       raise exception 'the last original of a held file would be lost' using errcode = 'LX004';
     end if;
     return null;
   end $$`,
  `create constraint trigger objects_hold_on_condemn after update of state on objects
     deferrable initially deferred for each row
     when (old.state = 'live' and new.state <> 'live') execute function refuse_losing_evidence()`,
  `create constraint trigger objects_hold_on_delete after delete on objects
     deferrable initially deferred for each row
     when (old.state = 'live') execute function refuse_losing_evidence()`,
];

const OBJECTS = [
  // In the order of their bytes, as stores list them: both lists can be compared page by page.
  `alter table variants alter column key type text collate "C"`,
  `alter table objects alter column key type text collate "C"`,
  `alter table objects add column bytes bigint not null default 0 check (bytes >= 0)`,
  `alter table objects add column storage_class text not null default 'STANDARD'
     check (storage_class in ('STANDARD', 'INTELLIGENT_TIERING', 'STANDARD_IA', 'ONEZONE_IA', 'GLACIER_IR', 'GLACIER',
       'DEEP_ARCHIVE'))`,
  `alter table objects add column class_since timestamptz not null default now()`,
  `create index objects_of_profiles on objects (key)
     where state = 'live' and storage_class = 'STANDARD' and key like 'profiles/%'`,
  `update objects set bytes = sizes.bytes
     from (select o.key, coalesce(v.bytes, f.upload_bytes, 0) as bytes
           from objects o join files f on f.id = o.file_id left join variants v on v.key = o.key) sizes
     where sizes.key = objects.key and objects.state = 'live'`,
];
