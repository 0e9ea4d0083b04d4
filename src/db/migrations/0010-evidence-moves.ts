import { type Kysely, sql } from 'kysely';

/**
 * Originals that a legal hold keeps although their photo is no longer public, on their way out of the public prefixes:
 * what is to be moved, how far it is, and what was in the way. Safe on a full table; what was kept at its public key
 * until now is on the list at once, with its hash where a row or the scrub knows it.
 */
export async function up<Schema>(db: Kysely<Schema>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table evidence_moves (
     key text collate "C" primary key,
     file_id uuid not null references files (id),
     sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
     state text not null default 'waiting' check (state in ('waiting', 'restoring', 'moved', 'lost')),
     attempts integer not null default 0,
     error text,
     due_at timestamptz not null default now(),
     created_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
     moved_at timestamptz
   )`,
  `create index evidence_moves_due on evidence_moves (due_at) where state in ('waiting', 'restoring')`,
  `create index evidence_moves_by_file on evidence_moves (file_id)`,
  `insert into evidence_moves (key, file_id, sha256)
     select o.key, o.file_id, coalesce(v.sha256, c.sha256) from holds h
     join files f on f.id = h.file_id
     join objects o on o.file_id = f.id
     left join variants v on v.key = o.key
     left join object_checks c on c.key = o.key
     where h.lifted_at is null and f.state not in ('published', 'ready', 'deleting', 'deleted')
       and o.state = 'live' and storage_prefix(o.key) in ('items/original', 'profiles/original')`,
];
