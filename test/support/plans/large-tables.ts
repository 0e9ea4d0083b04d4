/**
 * Statements by which a superuser makes the planner of PostgreSQL 18 believe that every table of the service has a hundred
 * million rows, those of `SMALL` excepted, so that what it plans is what it would plan there. No rows are written.
 */
export function pretendLarge(): readonly string[] {
  return [pageForEach(), sizes(), columns()];
}

const ROWS = 100_000_000;

/** Tables that stay small, however many photos there are. */
export const SMALL: ReadonlySet<string> = new Set([
  'kysely_migration',
  'kysely_migration_lock',
  'file_transitions',
  'lifecycle_marks',
  'leases',
  'recipes',
  'scanner_canaries',
  'moderation_policies',
  'moderation_charges',
  'cdn_cache_rules',
  'fingerprint_backfill',
  // Photos that have ended the process which looked at them.
  'fingerprint_attempts',
  // Photos at hand, and the few that no process survives.
  'fingerprint_attempts',
  'storage_totals',
  // What was written since the last fold, five seconds before.
  'storage_deltas',
  // What was written since the last seal, a second before.
  'unsealed',
  // One an hour.
  'anchors',
  // What operators ask for.
  'runs',
]);

/** Shares of values that are far from even; all other columns have each value ten times. */
const SHARES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'files.state': {
    ready: 0.9,
    deleted: 0.06,
    rejected: 0.02,
    failed: 0.01,
    taken_down: 0.009,
    published: 0.0002,
    in_review: 0.0001,
    pending: 0.0001,
    checking: 0.00001,
    received: 0.00001,
    deleting: 0.00001,
  },
  'files.kind': { item_photo: 0.95, profile_photo: 0.04, verification_document: 0.01 },
  'files.archive': { none: 0.7, archived: 0.299, restoring: 0.001 },
  'objects.state': { live: 0.9999, deleting: 0.00005, writing: 0.00005 },
  'variants.name': { original: 0.143, large: 0.286, medium: 0.286, thumbnail: 0.285 },
  'items.status': { active: 0.5, sold: 0.4, withdrawn: 0.09, draft: 0.01 },
};

/** Columns with a few values, as common as each other. */
const FEW = [
  'format',
  'storage_class',
  'source',
  'label',
  'reason_code',
  'decision',
  'outcome',
  'topic',
  'action',
  'model',
];
const FEW_VALUES = 10;

/** Tables that are trimmed, and how many days back their times reach, or ahead; those of all others reach back for years. */
const DAYS: Readonly<Record<string, number>> = { file_events: 30, outbox: 1, idempotency_keys: -1 };
const ALL_DAYS = 1000;

/** Columns that are null in nearly all rows, or set in nearly all. */
const NULLS: Readonly<Record<string, number>> = {
  'outbox.delivered_at': 0.0001,
  'review_cases.closed_at': 0.0001,
  'text_reads.outcome': 0.0001,
  'object_checks.damaged_at': 0.99999,
  'object_checks.unread_since': 0.99999,
  'files.form_expires_at': 0.9999,
  'files.position': 0.1,
  'items.deleted_at': 0.8,
  'fingerprints.banned_id': 0.999,
};

/**
 * The planner takes an empty table for empty, whatever is said of it. A row that is taken back leaves its page behind;
 * constraints would refuse a row of nothing, and are taken back with it.
 */
function pageForEach(): string {
  return `do $$ declare part record; rule record; begin
    set local session_replication_role = replica;
    for part in select c.oid, c.oid::regclass as name from pg_class c
      where c.relkind = 'r' and not c.relispartition and pg_relation_size(c.oid) = 0
        and c.relnamespace in ('public'::regnamespace, 'audit'::regnamespace) loop
      begin
        for rule in select conname from pg_constraint where conrelid = part.oid and contype in ('c', 'p', 'u', 'x') loop
          execute format('alter table %s drop constraint if exists %I cascade', part.name, rule.conname);
        end loop;
        for rule in select attname from pg_attribute
          where attrelid = part.oid and attnum > 0 and attnotnull and attidentity = '' and not attisdropped loop
          execute format('alter table %s alter %I drop not null', part.name, rule.attname);
        end loop;
        execute format('insert into %s default values', part.name);
        raise exception 'taken back' using errcode = 'LX999';
      exception when sqlstate 'LX999' then null;
      end;
    end loop;
    insert into audit.entries (user_id, action) values ('x', 'x');
  end $$`;
}

function sizes(): string {
  return `update pg_class c set relpages = greatest(pg_relation_size(c.oid) / 8192, 1), reltuples = ${ROWS}
    where c.relkind = 'r' and c.relnamespace in ('public'::regnamespace, 'audit'::regnamespace)
      and c.relname <> all (array[${list([...SMALL])}])`;
}

function columns(): string {
  const shares = Object.entries(SHARES).map(([column, parts]) => {
    const values = `{${Object.keys(parts).join(',')}}`;
    return `('${column}', '${values}', array[${Object.values(parts).join(',')}]::real[])`;
  });
  const nulls = Object.entries(NULLS).map(([column, share]) => `('${column}', ${share})`);
  const days = Object.entries(DAYS).map(([table, count]) => `('${table}', ${count})`);
  return `with shares (name, vals, freqs) as (values ${shares.join(',')}), nulls (name, share) as (values ${nulls.join(',')}),
      days (name, days) as (values ${days.join(',')})
    select count(pg_restore_attribute_stats('schemaname', n.nspname::text, 'relname', c.relname::text, 'attname', a.attname::text,
      'inherited', false, 'null_frac', coalesce(nulls.share, 0)::real, 'avg_width', 16,
      'n_distinct', coalesce(cardinality(shares.freqs), case when a.attname = any (array[${list(FEW)}]) then ${FEW_VALUES} else -0.1 end)::real,
      'most_common_vals', shares.vals::text, 'most_common_freqs', shares.freqs,
      'histogram_bounds', case when a.atttypid = 'timestamptz'::regtype then (
        select array_agg(now() - part / 100.0 * coalesce(days.days, ${ALL_DAYS}) * interval '1 day' order by part * coalesce(days.days, 1) desc)
        from generate_series(0, 100) part)::text end))
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join shares on shares.name = c.relname || '.' || a.attname
      left join days on days.name = c.relname
      left join nulls on nulls.name = c.relname || '.' || a.attname
    where c.relkind = 'r' and n.nspname in ('public', 'audit') and c.relname <> all (array[${list([...SMALL])}])`;
}

function list(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(',');
}
