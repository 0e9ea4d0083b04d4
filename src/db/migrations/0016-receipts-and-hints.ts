import { type Kysely, sql } from 'kysely';

/**
 * For receipts: what an output was encoded with is named in its report by the id of its recipe, and kept here once, since
 * the software that runs when somebody asks may be another. For the seller: hints on a photo and how well it would do as
 * a cover; null for photos that nobody has looked at so. Columns without a default, so no row is written.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table recipes (
     id text primary key check (id ~ '^[0-9a-f]{16}$'),
     recipe jsonb not null,
     noted_at timestamptz not null default now()
   )`,
  `alter table files
     add column hints jsonb,
     add column cover_score real check (cover_score between 0 and 1)`,
];
