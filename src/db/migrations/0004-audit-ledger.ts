import { type Kysely, sql } from 'kysely';

/**
 * The audit ledger, in place of `access_log`: entries by month, their seals in a hash chain, the queue of what is not
 * sealed yet, and the anchors that were written outside. In a schema of its own, since who owns a schema may drop what
 * is in it: `db/audit/owner.ts` gives it to a role that the service is not.
 *
 * What changes tables is done by functions that run as their owner: the service may call them and may not alter anything.
 * Rows of `access_log` move over and are sealed like new ones.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const TABLES = [
  `create schema audit`,
  `create sequence audit.entry_ids as bigint`,

  // json, not jsonb: kept as it was written, since the chain covers its text.
  `create table audit.entries (
     id bigint not null default nextval('audit.entry_ids'),
     at timestamptz not null default clock_timestamp(),
     user_id text not null,
     action text not null,
     file_id uuid,
     details json not null default '{}',
     primary key (at, id)
   ) partition by range (at)`,
  `create index entries_by_file on audit.entries (file_id, at, id) where file_id is not null`,
  `create index entries_by_user on audit.entries (user_id, at, id)`,
  `create index entries_by_action on audit.entries (action, at, id)`,
  // An entry is never refused for want of a month.
  `create table audit.entries_rest partition of audit.entries default`,

  `create table audit.unsealed (
     entry_id bigint primary key,
     entry_at timestamptz not null
   )`,

  `create table audit.seals (
     seq bigint primary key check (seq > 0),
     entry_id bigint not null unique,
     entry_at timestamptz not null,
     sealed_at timestamptz not null,
     hash bytea not null check (length(hash) = 32)
   )`,
  `create index seals_by_time on audit.seals (entry_at, seq)`,

  `create table audit.anchors (
     key text primary key,
     kind text not null check (kind in ('head', 'drop')),
     seq bigint not null,
     hash bytea not null check (length(hash) = 32),
     month date check ((kind = 'drop') = (month is not null)),
     anchored_at timestamptz not null default clock_timestamp()
   )`,
  `create index anchors_by_seq on audit.anchors (kind, seq)`,
];

const APPEND_ONLY = [
  `create function audit.refuse_change() returns trigger language plpgsql as $$
   begin
     raise exception 'the audit ledger is append-only: % on % is refused', tg_op, tg_table_name using errcode = 'LX002';
   end $$`,
  ...['entries', 'seals', 'anchors'].flatMap((table) => [
    `create trigger append_only before update or delete on audit.${table}
       for each row execute function audit.refuse_change()`,
    `create trigger no_truncate before truncate on audit.${table}
       for each statement execute function audit.refuse_change()`,
  ]),
  // Triggers for rows reach every partition by themselves, those for statements do not.
  `create trigger no_truncate before truncate on audit.entries_rest
     for each statement execute function audit.refuse_change()`,
];

const AS_OWNER = `language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '3s'`;

const FUNCTIONS = [
  // Attached rather than created in place: writers are not locked out meanwhile.
  `create function audit.make_month(month date) returns boolean ${AS_OWNER} as $$
   declare
     name text := 'entries_' || to_char(month, 'YYYY_MM');
     first timestamptz := month::timestamp at time zone 'UTC';
     after timestamptz := (month + interval '1 month')::timestamp at time zone 'UTC';
   begin
     if extract(day from month) <> 1 then raise exception '% is not the first of a month', month; end if;
     if to_regclass('audit.' || name) is not null then return false; end if;
     execute format('create table audit.%I (like audit.entries including defaults including constraints including indexes)', name);
     execute format('create trigger no_truncate before truncate on audit.%I
                       for each statement execute function audit.refuse_change()', name);
     execute format('alter table audit.entries attach partition audit.%I for values from (%L) to (%L)', name, first, after);
     return true;
   end $$`,

  `create function audit.prepare_months(ahead integer) returns integer ${AS_OWNER} as $$
   declare
     made integer := 0;
     month date;
   begin
     perform pg_advisory_xact_lock(7405914);
     for n in 0 .. least(ahead, 24) loop
       month := (date_trunc('month', now() at time zone 'UTC') + make_interval(months => n))::date;
       if audit.make_month(month) then made := made + 1; end if;
     end loop;
     return made;
   end $$`,

  // Whoever asks: not before a year, not what is unsealed, not without the anchor that replaces it.
  `create function audit.drop_month(month date) returns void ${AS_OWNER} as $$
   #variable_conflict use_variable
   declare
     first timestamptz := month::timestamp at time zone 'UTC';
     after timestamptz := (month + interval '1 month')::timestamp at time zone 'UTC';
   begin
     if after > now() - interval '1 year' then
       raise exception 'the audit entries of % are kept for a year at least', month using errcode = 'LX003';
     end if;
     if not exists (select from audit.anchors a where a.kind = 'drop' and a.month = month) then
       raise exception 'the audit entries of % have no anchor', month using errcode = 'LX003';
     end if;
     if exists (select from audit.entries_rest e where e.at < after)
        or exists (select from audit.entries e where e.at >= first and e.at < after
                     and not exists (select from audit.seals s where s.entry_id = e.id)) then
       raise exception 'not all audit entries until % are sealed and in their month', month using errcode = 'LX003';
     end if;
     execute format('drop table if exists audit.%I', 'entries_' || to_char(month, 'YYYY_MM'));
   end $$`,

  // The seals of dropped entries, a batch at a time, up to where the anchor of the drop stands.
  `create function audit.trim_seals(batch integer) returns integer ${AS_OWNER} as $$
   declare
     cut bigint;
     removed integer;
   begin
     select coalesce(max(a.seq), 0) into cut from audit.anchors a
       where a.kind = 'drop' and to_regclass('audit.entries_' || to_char(a.month, 'YYYY_MM')) is null;
     alter table audit.seals disable trigger append_only;
     delete from audit.seals where seq in (select s.seq from audit.seals s where s.seq <= cut order by s.seq limit batch);
     get diagnostics removed = row_count;
     alter table audit.seals enable trigger append_only;
     return removed;
   end $$`,
];

const MOVE = [
  `select audit.make_month(month::date)
   from generate_series(
     (select date_trunc('month', min(at) at time zone 'UTC') from access_log),
     date_trunc('month', now() at time zone 'UTC'), interval '1 month') as month`,
  `select audit.prepare_months(3)`,
  `insert into audit.entries (id, at, user_id, action, file_id, details)
     select nextval('audit.entry_ids'), at, user_id, action, file_id, details::text::json from access_log order by id`,
  `insert into audit.unsealed (entry_id, entry_at) select id, at from audit.entries`,
  `drop table access_log`,
];

const STATEMENTS = [...TABLES, ...APPEND_ONLY, ...FUNCTIONS, ...MOVE];
