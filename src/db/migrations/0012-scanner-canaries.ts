import { type Kysely, sql } from 'kysely';

/**
 * How each virus scanner did when it was last tried with files whose verdict is known. `distrust` outlives a scanner that
 * says nothing: one that had stopped finding anything is believed again only when it has found the test file. New and
 * empty, with a row a scanner.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `create table scanner_canaries (
         scanner text primary key,
         outcome text not null check (outcome in ('ok', 'blind', 'accusing', 'silent')),
         distrust text check (distrust in ('blind', 'accusing')),
         since timestamptz not null,
         checked_at timestamptz not null,
         version text,
         problem text
       )`,
    )
    .execute(db);
}
