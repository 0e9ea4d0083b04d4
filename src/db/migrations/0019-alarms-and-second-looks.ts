import { type Kysely, sql } from 'kysely';

/**
 * Alarms that are raised at present (`alarms`), so that each is told once and clears by itself. And from when on a case is
 * also for those whose decision it is about (`for_all_at`): where it is not said, as of all cases from before, a day after
 * it was opened. A new table, and a column without a default: no row is written.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table alarms (
     name text primary key,
     since timestamptz not null,
     problem text not null
   )`,
  'alter table review_cases add column for_all_at timestamptz',
];
