import { type Kysely, sql } from 'kysely';

/**
 * Counters of rate limits for processes that share no Redis, in the form that rate-limiter-flexible reads and writes. Not
 * logged: they are worth nothing after a crash, and cost no write-ahead log.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create unlogged table rate_limits (
      key varchar(255) primary key,
      points bigint not null default 0,
      expire bigint
    )
  `.execute(db);
  // Those of windows that are over are removed every five minutes.
  await sql`create index rate_limits_by_end on rate_limits (expire)`.execute(db);
}
