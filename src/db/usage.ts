import { sql } from 'kysely';
import type { Tallied } from '../domain/usage-tally.ts';
import type { DeliveryUsage, PhotoUsage } from '../domain/usage.ts';
import type { AccessLogFile } from '../ports/access-logs.ts';
import { allowIdle } from './idle.ts';
import { jsonText } from './json.ts';
import type { Database, Db } from './schema.ts';
import type { DeliveryUsageTable } from './usage-tables.ts';
import { noteViews } from './views.ts';

/**
 * Adds what was counted to the days it belongs to, and notes when photos were last looked at by people. Unknown photos are
 * passed over. All or nothing.
 */
export async function addUsage(
  db: Database,
  source: DeliveryUsageTable['source'],
  tallied: Tallied,
): Promise<void> {
  await db.transaction().execute((trx) => addUsageIn(trx, source, tallied));
}

/** The same in a transaction that is under way. */
export async function addUsageIn(
  trx: Db,
  source: DeliveryUsageTable['source'],
  tallied: Tallied,
): Promise<void> {
  await addPhotos(trx, tallied.photos);
  await noteLastViews(trx, tallied);
  for (const delivery of tallied.deliveries) await addDelivery(trx, source, delivery);
}

/** Only when people last looked. */
export async function noteLastViews(db: Db, { photos }: Tallied): Promise<void> {
  await noteViews(
    db,
    photos.flatMap(({ fileId, lastViewedAt: at }) => (at === null ? [] : [{ fileId, at }])),
  );
}

async function addPhotos(db: Db, photos: readonly PhotoUsage[]): Promise<void> {
  if (photos.length === 0) return;
  const seen = photos.map(({ fileId, day, views, robotViews, bytes }) => ({
    file_id: fileId,
    day,
    views,
    robot_views: robotViews,
    bytes,
  }));
  // In the order of the key, so that two who add at once wait and never lock each other out.
  await sql`
    insert into photo_usage as u (day, file_id, views, robot_views, bytes)
    select seen.day, seen.file_id, seen.views, seen.robot_views, seen.bytes
    from jsonb_to_recordset(${jsonText(seen)}::jsonb)
      as seen (file_id uuid, day date, views bigint, robot_views bigint, bytes bigint)
    join files on files.id = seen.file_id
    order by seen.day, seen.file_id
    on conflict (day, file_id) do update set views = u.views + excluded.views,
      robot_views = u.robot_views + excluded.robot_views, bytes = u.bytes + excluded.bytes
  `.execute(db);
}

async function addDelivery(
  db: Db,
  source: DeliveryUsageTable['source'],
  { day, requests, robotRequests, hits, misses, errors, bytes }: DeliveryUsage,
): Promise<void> {
  await sql`
    insert into delivery_usage as d (day, source, requests, robot_requests, hits, misses, errors, bytes)
    values (${day}, ${source}, ${requests}, ${robotRequests}, ${hits}, ${misses}, ${errors}, ${bytes})
    on conflict (day, source) do update set requests = d.requests + excluded.requests,
      robot_requests = d.robot_requests + excluded.robot_requests, hits = d.hits + excluded.hits,
      misses = d.misses + excluded.misses, errors = d.errors + excluded.errors, bytes = d.bytes + excluded.bytes
  `.execute(db);
}

/**
 * Takes a log file to be counted in this transaction, which may be idle for `readMs` while the file is read; false when it was
 * counted before.
 */
export async function takeLogFile(
  trx: Db,
  file: AccessLogFile,
  { at, readMs }: { readonly at: Date; readonly readMs: number },
): Promise<boolean> {
  await allowIdle(trx, readMs);
  const { key, etag, bytes, deliveredAt } = file;
  const taken = await trx
    .insertInto('usage_log_files')
    .values({ key, etag, bytes, lines: 0, damage: null, delivered_at: deliveredAt, read_at: at })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .returning('key')
    .executeTakeFirst();
  return taken !== undefined;
}

/** What the file turned out to hold. */
export async function describeLogFile(
  trx: Db,
  key: string,
  { lines, damage }: { readonly lines: number; readonly damage: string | null },
): Promise<void> {
  await trx.updateTable('usage_log_files').set({ lines, damage }).where('key', '=', key).execute();
}

/** Of these log files, those that were counted, with how many lines they told. */
export async function listCountedLogFiles(
  db: Db,
  keys: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom('usage_log_files')
    .select(['key', 'lines'])
    .where('key', '=', sql<string>`any(${sql.val([...keys])}::text[])`)
    .execute();
  return new Map(rows.map(({ key, lines }) => [key, lines]));
}

/** Forgets log files that were delivered before then: they are not listed any more. */
export async function forgetLogFiles(db: Db, deliveredBefore: Date): Promise<void> {
  await db.deleteFrom('usage_log_files').where('delivered_at', '<', deliveredBefore).execute();
}

export interface UsageDay extends DeliveryUsage {
  /** Of photos, by people. */
  readonly views: number;
  readonly robotViews: number;
  /** Photos that people looked at. */
  readonly photos: number;
}

/** What was delivered and looked at on each day from `from` to `to`, the latest first. Days without anything are left out. */
export async function listUsage(db: Db, from: string, to: string): Promise<readonly UsageDay[]> {
  const { rows } = await sql<UsageDay>`
    with seen as (
      select day, sum(views) as views, sum(robot_views) as robot_views, count(*) filter (where views > 0) as photos
      from photo_usage where day between ${from} and ${to} group by day
    ), delivered as (
      select day, sum(requests) as requests, sum(robot_requests) as robot_requests, sum(hits) as hits,
        sum(misses) as misses, sum(errors) as errors, sum(bytes) as bytes
      from delivery_usage where day between ${from} and ${to} group by day
    )
    select coalesce(seen.day, delivered.day)::text as day,
      coalesce(requests, 0)::float8 as requests, coalesce(delivered.robot_requests, 0)::float8 as "robotRequests",
      coalesce(hits, 0)::float8 as hits, coalesce(misses, 0)::float8 as misses, coalesce(errors, 0)::float8 as errors,
      coalesce(bytes, 0)::float8 as bytes, coalesce(views, 0)::float8 as views,
      coalesce(robot_views, 0)::float8 as "robotViews", coalesce(photos, 0)::float8 as photos
    from seen full join delivered using (day) order by 1 desc
  `.execute(db);
  return rows;
}

export interface DamagedLogFile {
  readonly key: string;
  readonly damage: string;
  readonly deliveredAt: Date;
}

/** Log files that could not be read wholly, the latest first. */
export async function listDamagedLogFiles(db: Db, limit: number): Promise<readonly DamagedLogFile[]> {
  const rows = await db
    .selectFrom('usage_log_files')
    .select(['key', 'damage', 'delivered_at'])
    .where('damage', 'is not', null)
    .orderBy('delivered_at', 'desc')
    .limit(limit)
    .execute();
  return rows.map(({ key, damage, delivered_at: deliveredAt }) => ({
    key,
    damage: damage ?? '',
    deliveredAt,
  }));
}
