import { type Kysely, sql } from 'kysely';

/**
 * Counters of what is stored: every change of a live object, or of the state of its file, adds what it changes to
 * `storage_deltas` in its own transaction, and a schedule folds these into the totals. Nobody waits for a counter's row,
 * and totals with deltas are at any moment what counting all objects would give.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of ROLLUPS) await sql.raw(statement).execute(db);
}

const SUMS = `count(*) as objects, sum(o.bytes) as bytes, sum(billed_bytes(o.storage_class, o.bytes)) as billed`;

/** A file's state is read under its lock: who changes it at this moment is waited for. */
const lockFiles = (rows: string) => `
  perform 1 from files where id in (select file_id from ${rows} where state = 'live') order by id for share;`;

const counted = (parts: readonly { rows: string; sign: 1 | -1 }[]) => `
  insert into storage_deltas (prefix, storage_class, state, owner_id, objects, bytes, billed_bytes)
  select prefix, storage_class, state, owner_id, sum(objects), sum(bytes), sum(billed) from (
    ${parts
      .map(
        ({ rows, sign }) => `
    select storage_prefix(o.key) as prefix, o.storage_class, f.state, f.owner_id,
      ${sign} as objects, ${sign} * o.bytes as bytes, ${sign} * billed_bytes(o.storage_class, o.bytes) as billed
    from ${rows} o join files f on f.id = o.file_id where o.state = 'live'`,
      )
      .join(' union all ')}
  ) changes
  group by prefix, storage_class, state, owner_id
  having sum(objects) <> 0 or sum(bytes) <> 0 or sum(billed) <> 0;`;

const trigger = (
  event: 'insert' | 'update' | 'delete',
  tables: readonly { name: string; sign: 1 | -1 }[],
) => [
  `create function count_objects_on_${event}() returns trigger language plpgsql as $$
   begin
     if not exists (${tables
       .map(({ name }) => `select 1 from ${name} where state = 'live'`)
       .join(' union all ')}) then return null; end if;
     ${tables.map(({ name }) => lockFiles(name)).join('')}
     ${counted(tables.map(({ name, sign }) => ({ rows: name, sign })))}
     return null;
   end $$`,
  `create trigger objects_count_on_${event} after ${event} on objects
     referencing ${tables.map(({ name }) => `${name === 'old_rows' ? 'old' : 'new'} table as ${name}`).join(' ')}
     for each statement execute function count_objects_on_${event}()`,
];

const OLD = { name: 'old_rows', sign: -1 } as const;
const NEW = { name: 'new_rows', sign: 1 } as const;

const ROLLUPS: readonly string[] = [
  // The first two parts of a key: items/original, quarantine/raw …
  `create function storage_prefix(key text) returns text language sql immutable as $$
     select split_part(key, '/', 1) || '/' || split_part(key, '/', 2)
   $$`,
  // The rule of domain/cost.ts: minimum sizes, and 32 KiB of index beside each archived object.
  `create function billed_bytes(storage_class text, bytes bigint) returns bigint language sql immutable as $$
     select case
       when storage_class in ('STANDARD_IA', 'ONEZONE_IA', 'GLACIER_IR') then greatest(bytes, 131072)
       when storage_class in ('GLACIER', 'DEEP_ARCHIVE') then bytes + 32768
       else bytes end
   $$`,

  `create table storage_deltas (
     id bigint generated always as identity primary key,
     prefix text not null,
     storage_class text not null,
     state text not null,
     owner_id text not null,
     objects bigint not null,
     bytes bigint not null,
     billed_bytes bigint not null
   )`,
  `create table storage_totals (
     prefix text not null,
     storage_class text not null,
     state text not null,
     objects bigint not null,
     bytes bigint not null,
     billed_bytes bigint not null,
     primary key (prefix, storage_class, state)
   )`,
  `create table storage_owners (
     owner_id text primary key,
     objects bigint not null,
     bytes bigint not null
   )`,
  `create index storage_owners_largest on storage_owners (bytes desc, owner_id)`,
  `create table storage_owner_classes (
     owner_id text not null,
     storage_class text not null,
     objects bigint not null,
     bytes bigint not null,
     billed_bytes bigint not null,
     primary key (owner_id, storage_class)
   )`,

  `insert into storage_deltas (prefix, storage_class, state, owner_id, objects, bytes, billed_bytes)
     select storage_prefix(o.key), o.storage_class, f.state, f.owner_id, ${SUMS}
     from objects o join files f on f.id = o.file_id where o.state = 'live' group by 1, 2, 3, 4`,

  ...trigger('insert', [NEW]),
  ...trigger('update', [OLD, NEW]),
  ...trigger('delete', [OLD]),

  `create function move_counted_objects() returns trigger language plpgsql as $$
   begin
     insert into storage_deltas (prefix, storage_class, state, owner_id, objects, bytes, billed_bytes)
       select storage_prefix(o.key), o.storage_class, side.state, new.owner_id, side.sign * count(*),
         side.sign * sum(o.bytes), side.sign * sum(billed_bytes(o.storage_class, o.bytes))
       from objects o cross join (values (old.state, -1), (new.state, 1)) as side (state, sign)
       where o.file_id = new.id and o.state = 'live'
       group by 1, 2, side.state, side.sign;
     return null;
   end $$`,
  `create trigger files_move_counted after update of state on files for each row
     when (new.state <> old.state) execute function move_counted_objects()`,
];
