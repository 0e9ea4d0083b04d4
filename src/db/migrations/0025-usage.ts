import { type Kysely, sql } from 'kysely';

/**
 * How often photos are looked at and what the CDN does, by day, and which of its log files were counted. New and empty;
 * what was seen before is known only as the last view of a photo (`file_views`).
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table photo_usage (
     day date not null,
     file_id uuid not null references files (id),
     views bigint not null,
     robot_views bigint not null,
     bytes bigint not null,
     primary key (day, file_id)
   )`,
  `create index photo_usage_of_file on photo_usage (file_id, day)`,
  `create table delivery_usage (
     day date not null,
     source text not null check (source in ('edge', 'cloudfront')),
     requests bigint not null,
     robot_requests bigint not null,
     hits bigint not null,
     misses bigint not null,
     errors bigint not null,
     bytes bigint not null,
     primary key (day, source)
   )`,
  // Counted once, however often a pass meets them.
  `create table usage_log_files (
     key text primary key,
     etag text not null,
     bytes bigint not null,
     lines bigint not null,
     damage text,
     delivered_at timestamptz not null,
     read_at timestamptz not null
   )`,
  `create index usage_log_files_delivered on usage_log_files (delivered_at)`,
];
