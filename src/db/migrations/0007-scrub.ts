import { type Kysely, sql } from 'kysely';

/**
 * What the scrub remembers of an object: how it looked when its bytes were last read and were right (`etag`; `sha256`
 * only where no other row has it: encrypted documents), when that was, and since when it is known to be damaged. A table
 * of its own: millions of these change each month, and nothing that counts or watches `objects` is to be woken by that.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table object_checks (
     key text collate "C" primary key references objects (key) on delete cascade,
     etag text,
     sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
     checked_at timestamptz not null,
     damaged_at timestamptz
   )`,
  `create index object_checks_oldest on object_checks (checked_at, key)`,
  `create index object_checks_damaged on object_checks (damaged_at) where damaged_at is not null`,
];
