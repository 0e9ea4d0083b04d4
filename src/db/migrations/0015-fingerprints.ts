import { type Kysely, sql } from 'kysely';

/**
 * What pictures are recognised by (`fingerprints`, of a photo or of a banned picture), pictures that may not come back
 * (`banned_pictures`), pairs of photos of different owners that show the same (`photo_matches`) and what moderators said of
 * them. A fingerprint goes with its photo; a ban is lifted when its photo is published again. Photos from before get theirs
 * later, in order: `fingerprint_backfill` remembers how far that is.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...TABLES, ...TRIGGERS]) await sql.raw(statement).execute(db);
}

const TABLES = [
  `create table banned_pictures (
     id bigint generated always as identity primary key,
     file_id uuid,
     reason_code text not null,
     banned_by text not null,
     banned_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
     confirmed_by text
   )`,
  `create unique index banned_pictures_by_file on banned_pictures (file_id)`,
  `create index banned_pictures_newest on banned_pictures (banned_at desc, id)`,

  // Short rows, so that those that share a token with a new picture are on few pages: the look lies beside them.
  `create table fingerprints (
     id bigint generated always as identity primary key,
     file_id uuid unique references files (id),
     banned_id bigint unique references banned_pictures (id) on delete cascade,
     hash bit(256) not null,
     tokens integer[] not null,
     look bytea not null,
     check (num_nonnulls(file_id, banned_id) = 1)
   ) with (toast_tuple_target = 256)`,
  `alter table fingerprints alter look set storage external, alter tokens set storage plain, alter hash set storage plain`,
  // Without a list of what is not sorted in yet: each lookup would have to read all of that.
  `create index fingerprints_by_token on fingerprints using gin (tokens) with (fastupdate = off)`,

  // Few beside the photos: they are asked for by themselves, so that no number of photos keeps one from being found.
  `create index fingerprints_of_banned_by_token on fingerprints using gin (tokens) with (fastupdate = off)
     where banned_id is not null`,

  // The planner does not know how rare tokens are, and would read the whole table, that of files too where they are joined.
  `create function fingerprints_sharing(asked integer[]) returns setof fingerprints
     language sql stable rows 20 set enable_seqscan = off
     as 'select * from fingerprints where tokens && asked'`,
  `create function banned_sharing(asked integer[]) returns setof fingerprints
     language sql stable rows 20 set enable_seqscan = off
     as 'select * from fingerprints where banned_id is not null and tokens && asked'`,

  `create table photo_matches (
     id bigint generated always as identity primary key,
     newer_id uuid not null references files (id),
     older_id uuid not null references files (id),
     newer_owner text not null,
     older_owner text not null,
     newer_hash bit(256) not null,
     older_hash bit(256) not null,
     similarity real not null,
     found_at timestamptz not null default clock_timestamp(),
     outcome text check (outcome in ('not_a_copy', 'same_owner', 'copied_by_newer', 'copied_by_older')),
     decided_by text,
     decided_at timestamptz,
     unique (newer_id, older_id),
     check ((outcome is null) = (decided_by is null) and (outcome is null) = (decided_at is null))
   )`,
  `create index photo_matches_by_older on photo_matches (older_id)`,
  `create index photo_matches_dismissed on photo_matches (newer_owner, older_owner)
     where outcome in ('not_a_copy', 'same_owner')`,

  `create table fingerprint_backfill (after_id uuid not null)`,
  `insert into fingerprint_backfill (after_id)
     select '00000000-0000-0000-0000-000000000000' where exists (select from files where state in ('published', 'ready'))`,
];

const TRIGGERS = [
  // Whoever makes the change. What is refused or taken down keeps its fingerprint while an appeal may bring it back; none
  // brings back what was refused as a banned picture. A ban outlives its photo once a second look has confirmed it, else
  // nobody could look any more.
  `create function keep_fingerprint() returns trigger language plpgsql as $$
   begin
     if new.state = 'rejected' then
       if new.reason_code = 'BANNED_IMAGE' then
         delete from fingerprints where file_id = new.id;
       end if;
     elsif new.state in ('deleting', 'failed') then
       delete from fingerprints where file_id = new.id;
       delete from banned_pictures where file_id = new.id and confirmed_by is null;
       update banned_pictures set file_id = null where file_id = new.id;
     elsif new.state = 'published' then
       delete from banned_pictures where file_id = new.id;
     end if;
     return null;
   end $$`,
  `create trigger files_fingerprint after update of state on files for each row
     when (new.state <> old.state and new.state in ('deleting', 'failed', 'rejected', 'published'))
     execute function keep_fingerprint()`,
];
