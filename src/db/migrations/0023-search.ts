import { type Kysely, sql } from 'kysely';

/**
 * What the search index needs: a list of photos whose document has changed (`search_outbox`), which the database itself
 * writes in the transaction of the change, and versions for what is written to an index. The list is one of its own and not
 * in `outbox`: what waits while the search is down for an hour stands in nobody's way. It is only ever added to and taken
 * from, so that no change of a photo waits for another one here.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create extension if not exists pg_trgm`,
  `create sequence search_versions`,
  `create table search_outbox (
     id bigint generated always as identity primary key,
     file_id uuid not null,
     available_at timestamptz not null default now(),
     refusal text
   )`,
  `create index search_outbox_waiting on search_outbox (available_at, id)`,

  // A photo that is on its way in, or never became one, is in no index (FINDABLE_STATES); one that leaves is taken out of it.
  `create function is_findable(state text) returns boolean language sql immutable
     return state in ('published', 'ready', 'in_review', 'rejected', 'taken_down')`,
  `create function note_photo_for_search() returns trigger language plpgsql as $$
   begin
     insert into search_outbox (file_id) values (new.id);
     return null;
   end $$`,
  `create trigger files_search after update on files for each row
     when (new.kind = 'item_photo' and (is_findable(new.state) or is_findable(old.state)) and (
       new.state <> old.state or new.alt is distinct from old.alt or new.reason_code is distinct from old.reason_code
       or new.cover_score is distinct from old.cover_score or new.placeholder is distinct from old.placeholder
       or (new.analysis -> 'labels') is distinct from (old.analysis -> 'labels')))
     execute function note_photo_for_search()`,

  // What is written before the photo is public is noted with its state.
  `create function note_original_for_search() returns trigger language plpgsql as $$
   begin
     insert into search_outbox (file_id)
       select id from files where id = new.file_id and kind = 'item_photo' and is_findable(state);
     return null;
   end $$`,
  `create trigger variants_search after insert on variants for each row when (new.name = 'original')
     execute function note_original_for_search()`,

  `create function note_listing_for_search() returns trigger language plpgsql as $$
   begin
     insert into search_outbox (file_id)
       select id from files where item_id = new.id and position is not null and is_findable(state)
       union all
       select id from files where item_id = new.id and position is null and state in ('rejected', 'taken_down');
     return null;
   end $$`,
  `create trigger items_search after update on items for each row
     when (new.title <> old.title or new.category is distinct from old.category or new.status <> old.status
       or new.deleted_at is distinct from old.deleted_at)
     execute function note_listing_for_search()`,
];
