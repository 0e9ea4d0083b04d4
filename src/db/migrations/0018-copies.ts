import { type Kysely, sql } from 'kysely';

/**
 * Pictures are found on whichever side they lie, and by an index of their own: `fingerprint_tokens` holds a row for each token of
 * a fingerprint, a landmark by its class (`landmark_class`: one number for all eight ways to lay it down), so that what two
 * pictures share is counted in the index alone. The array of tokens stays with the fingerprint and needs no index any more.
 * Fills a million fingerprints in three minutes, in which no photo is checked.
 *
 * And deleting means gone: what a deleted photo was recognised by, or who had it, is kept nowhere but with a ban. A ban may wait
 * for the fingerprint of its photo; how often somebody tried to make one late is remembered, so that no photo is tried for ever.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...INDEX, ...FORGETTING, ...LATE, ...PRIORITY])
    await sql.raw(statement).execute(db);
}

/** Landmarks have 29 bits; bands of hashes come above. */
const FIRST_BAND = 2 ** 29;

const INDEX = [
  // As `landmarkClass` of src/domain/turns.ts: rows and columns change places, then signs of odd frequencies.
  `create function landmark_class(bits integer) returns integer language plpgsql immutable parallel safe as $$
   declare
     swapped constant integer :=
       (bits & 1056832) | ((bits & 16513) << 5) | ((bits & 258) << 10) | ((bits & 512) << 14)
        | ((bits & 4) << 15) | ((bits & 1024) << 17) | ((bits & 8) << 19) | ((bits & 16) << 22)
        | ((bits & 32768) << 9) | ((bits & 65536) << 12) | ((bits & 2097152) << 4) | ((bits & 528416) >> 5)
        | ((bits & 264192) >> 10) | ((bits & 8388608) >> 14) | ((bits & 131072) >> 15)
        | ((bits & 134217728) >> 17) | ((bits & 4194304) >> 19) | ((bits & 67108864) >> 22)
        | ((bits & 16777216) >> 9) | ((bits & 268435456) >> 12) | ((bits & 33554432) >> 4);
   begin
     return least(
       bits, bits # 177558869, bits # 473827296, bits # 380326581,
       swapped, swapped # 177558869, swapped # 473827296, swapped # 380326581);
   end $$`,

  // Nothing but what is asked for, in two integers: a million fingerprints have 46 million rows. New rows are vacuumed soon, so
  // that they are counted without a look at the table.
  `create table fingerprint_tokens (
     token integer not null,
     print_id integer not null
   ) with (autovacuum_vacuum_insert_scale_factor = 0.02)`,
  `create function index_tokens(tokens integer[]) returns setof integer language sql immutable parallel safe
     as 'select distinct case when token < ${FIRST_BAND} then landmark_class(token) else token end from unnest(tokens) as token'`,
  `insert into fingerprint_tokens (token, print_id)
     select token, id from fingerprints, index_tokens(tokens) as token`,
  `alter table fingerprint_tokens add primary key (token, print_id)`,

  `create function keep_fingerprint_tokens() returns trigger language plpgsql as $$
   begin
     if tg_op = 'INSERT' then
       insert into fingerprint_tokens (token, print_id) select token, new.id from index_tokens(new.tokens) as token;
     else
       delete from fingerprint_tokens where print_id = old.id and token = any (array(select index_tokens(old.tokens)));
     end if;
     return null;
   end $$`,
  `create trigger fingerprints_tokens after insert or delete on fingerprints for each row
     execute function keep_fingerprint_tokens()`,

  // The planner does not know how rare tokens are, and would read the whole table. A token in common is chance.
  `drop function fingerprints_sharing, banned_sharing`,
  `create function prints_sharing(asked integer[]) returns table (print_id integer, shared bigint)
     language sql stable rows 20 set enable_seqscan = off set enable_bitmapscan = off
     as 'select print_id, count(*) from fingerprint_tokens where token = any (asked) group by print_id having count(*) > 1'`,
  `drop index fingerprints_by_token, fingerprints_of_banned_by_token`,
  `create index fingerprints_of_banned on fingerprints (id) where banned_id is not null`,
];

const FORGETTING = [
  // Ids, outcome and moderator stay, and who the two people are where somebody said that they are one.
  `alter table photo_matches
     alter newer_owner drop not null, alter older_owner drop not null,
     alter newer_hash drop not null, alter older_hash drop not null`,
  `create function forget_matches(file uuid) returns void language sql as $$
     update photo_matches set
       newer_hash = null,
       older_hash = null,
       newer_owner = case when outcome = 'same_owner' then newer_owner end,
       older_owner = case when outcome = 'same_owner' then older_owner end
     where newer_id = file or older_id = file
   $$`,
  `create or replace function keep_fingerprint() returns trigger language plpgsql as $$
   begin
     if new.state = 'rejected' then
       if new.reason_code = 'BANNED_IMAGE' then
         delete from fingerprints where file_id = new.id;
       end if;
     elsif new.state in ('deleting', 'failed') then
       delete from fingerprints where file_id = new.id;
       delete from findings where file_id = new.id and source = 'fingerprint';
       delete from banned_pictures where file_id = new.id
         and (confirmed_by is null or is_waiting);
       update banned_pictures set file_id = null where file_id = new.id;
       perform forget_matches(new.id);
     elsif new.state = 'published' then
       delete from banned_pictures where file_id = new.id;
     end if;
     return null;
   end $$`,
  // Before the row is written: what models made of the pixels, and the placeholder, which is a tiny picture.
  `create function forget_looks() returns trigger language plpgsql as $$
   begin
     new.analysis := null;
     new.placeholder := null;
     return new;
   end $$`,
  `create trigger files_forget_looks before update of state on files for each row
     when (new.state <> old.state and new.state in ('deleting', 'failed')) execute function forget_looks()`,

  `update files set analysis = null, placeholder = null
     where state in ('deleting', 'deleted', 'failed') and (analysis is not null or placeholder is not null)`,
  `select forget_matches(id) from files where state in ('deleting', 'deleted', 'failed')
     and exists (select from photo_matches where newer_id = files.id or older_id = files.id)`,
  `delete from findings using files
     where files.id = file_id and findings.source = 'fingerprint' and state in ('deleting', 'deleted', 'failed')`,
];

const LATE = [
  `create table fingerprint_attempts (
     file_id uuid primary key references files (id),
     attempts smallint not null
   )`,
  `alter table banned_pictures add column is_waiting boolean not null default false`,
  `create index banned_pictures_waiting on banned_pictures (file_id) where is_waiting`,
];

/** What opens a case for a usual reason need not know how urgent that is: the triggers do, and this. */
const PRIORITY = [`alter table review_cases alter priority set default 0`];
