import { sql } from 'kysely';
import type { Db } from './schema.ts';

export interface LastView {
  readonly fileId: string;
  readonly at: Date;
}

/** Notes when these photos were looked at; one that was noted within a day is left as it is. Unknown ids are passed over. */
export async function noteViews(db: Db, views: readonly LastView[]): Promise<void> {
  if (views.length === 0) return;
  const ids = views.map(({ fileId }) => fileId);
  const times = views.map(({ at }) => at.toISOString());
  await sql`
    insert into file_views (file_id, last_viewed_at)
    select id, max(seen.at)
    from unnest(${sql.val(ids)}::uuid[], ${sql.val(times)}::timestamptz[]) as seen (file_id, at)
    join files on files.id = seen.file_id
    group by id order by id
    on conflict (file_id) do update set last_viewed_at = excluded.last_viewed_at
      where file_views.last_viewed_at < excluded.last_viewed_at - interval '1 day'
  `.execute(db);
}

/** When the service was installed or learnt to note views: what was looked at before cannot be told. */
export async function viewsKnownSince(db: Db): Promise<Date> {
  const row = await db
    .selectFrom('lifecycle_marks')
    .select('at')
    .where('name', '=', 'views_known_since')
    .executeTakeFirstOrThrow();
  return row.at;
}

/** Views from before then are not known any more. Never goes back. */
export async function forgetViewsBefore(db: Db, at: Date): Promise<void> {
  await db
    .updateTable('lifecycle_marks')
    .set({ at: sql<Date>`greatest(at, ${at})` })
    .where('name', '=', 'views_known_since')
    .execute();
}

/** Up to when the access logs of the CDN were read; null when none ever was. */
export async function usageIngestedUntil(db: Db): Promise<Date | null> {
  const row = await db
    .selectFrom('lifecycle_marks')
    .select('at')
    .where('name', '=', 'usage_ingested_until')
    .executeTakeFirst();
  return row?.at ?? null;
}

/** Access logs are read up to then. Never goes back. */
export async function markUsageIngested(db: Db, until: Date): Promise<void> {
  await db
    .insertInto('lifecycle_marks')
    .values({ name: 'usage_ingested_until', at: until })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({ at: sql<Date>`greatest(lifecycle_marks.at, excluded.at)` }),
    )
    .execute();
}
