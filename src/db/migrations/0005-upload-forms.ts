import { type Kysely, sql } from 'kysely';

/**
 * Until when the bucket takes the form of a reservation by itself: as long as it does, bytes may come that nobody tells
 * us of. Null where there is no such form. The column is added without a rewrite; the index holds only rows that have one.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table files add column form_expires_at timestamptz`,
  `create index files_with_form on files (form_expires_at) where form_expires_at is not null`,
  `create index files_pending on files (updated_at) where state = 'pending'`,
];
