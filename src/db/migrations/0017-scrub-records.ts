import { type Kysely, sql } from 'kysely';

/**
 * What the scrub has to remember so that it goes on and does not repeat itself: since when the store has not given the bytes
 * of an object (`unread_since`), what an operator was told of a damaged one and when (`told`, `told_at`), and of which
 * public object an object in quarantine holds the wrong bytes (`aside_of`). Columns without a default, so no row is written.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `alter table object_checks
     add column unread_since timestamptz,
     add column told text,
     add column told_at timestamptz,
     add column aside_of text collate "C"`,
  `create index object_checks_unread on object_checks (unread_since) where unread_since is not null`,
  `create index object_checks_aside on object_checks (aside_of) where aside_of is not null`,
];
