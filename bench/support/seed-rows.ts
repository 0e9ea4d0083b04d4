import { sql } from 'kysely';
import { foldStorage } from '#src/db/rollups.ts';
import type { Database, Db } from '#src/db/schema.ts';
import { inParallel } from './client.ts';

export const PHOTOS_PER_LISTING = 10;
export const LISTINGS_PER_SELLER = 5;
/** Listings whose rows are written in one transaction. */
const BATCH = 1000;
/** As many batches are written side by side. */
export const SEEDING_CONNECTIONS = 4;
/** Sellers who upload at the same time, so that the rows of one listing do not lie side by side. */
const AT_ONCE = 50;

/** What a superuser must allow the role that seeds, and what makes checkpoints rarer while it does. */
export const BEFORE_SEEDING = [
  'grant set on parameter session_replication_role to localex',
  `alter system set max_wal_size = '8GB'`,
  'select pg_reload_conf()',
];
/** Takes all of that back. */
export const AFTER_SEEDING = [
  'revoke set on parameter session_replication_role from localex',
  'alter system reset max_wal_size',
  'select pg_reload_conf()',
];

/**
 * Writes the rows of `photos` photos that are ready, in listings of ten, with seven variants and objects each, and one
 * refused photo for each tenth listing. Original bytes lie in three classes, those of a tenth of the listings archived.
 *
 * Triggers that keep history, tell listeners and refuse states are off in these sessions, and foreign keys unchecked; the
 * counters' own trigger is on and counts every object, and deltas are folded now and then, as the schedule does it. Then
 * the tables are vacuumed and analysed, as autovacuum would have them.
 */
export async function seedPhotos(
  db: Database,
  photos: number,
  progress: (written: number) => void = () => {},
): Promise<void> {
  const listings = Math.ceil(photos / PHOTOS_PER_LISTING);
  let written = 0;
  await sql`alter table objects enable always trigger objects_count_on_insert`.execute(db);
  await inParallel(Math.ceil(listings / BATCH), SEEDING_CONNECTIONS, async (index) => {
    const from = index * BATCH;
    const to = Math.min(from + BATCH, listings);
    await db.transaction().execute(async (trx) => {
      await sql`set local session_replication_role = replica`.execute(trx);
      await sql`set local synchronous_commit = off`.execute(trx);
      for (const statement of batch(from, to)) await statement.execute(trx);
    });
    await db.transaction().execute(foldStorage);
    written += (to - from) * PHOTOS_PER_LISTING;
    progress(written);
  });
  await sql`alter table objects enable trigger objects_count_on_insert`.execute(db);
  await settleTables(db);
}

/** Any listing of those that were seeded. */
export function listingId(index: number): string {
  return `listing-${index}`;
}
export function sellerOf(index: number): string {
  return `seller-${Math.floor(index / LISTINGS_PER_SELLER)}`;
}

async function settleTables(db: Db): Promise<void> {
  for (const table of [
    'items',
    'files',
    'variants',
    'objects',
    'storage_deltas',
    'storage_totals',
    'storage_owners',
    'storage_owner_classes',
  ])
    await sql`vacuum analyze ${sql.table(table)}`.execute(db);
}

/** Statements that write the listings `from` … `to` − 1 and everything of them. */
function batch(from: number, to: number) {
  const first = sql.lit(from);
  const last = sql.lit(to - 1);
  return [
    sql`insert into items (id, seller_id, title, category, photos_version)
      select ${LISTING}, ${SELLER}, 'A bicycle, hardly used, ' || n, 'bicycles', ${EACH}
      from generate_series(${first}, ${last}) n`,
    sql`create temporary table seeded on commit drop as
      select uuidv7() as id, n, position, ${LISTING} as item_id, ${SELLER} as seller_id,
        substr(md5(n || '-' || position), 1, 12) as hash12,
        encode(sha256(convert_to(n || '-' || position, 'UTF8')), 'hex') as sha256
      from (
        select n, position from generate_series(${first}, ${last}) n,
          generate_series(0, ${EACH} - 1) position
        order by n / ${sql.lit(AT_ONCE)}, position, n
      ) uploads`,
    sql`insert into files (id, kind, item_id, owner_id, state, archive, position, alt, filename, claimed_type,
        upload_bytes, upload_sha256, hash12, source_format, placeholder, findings, scan, moderation, analysis,
        received_at, published_at, finished_at)
      select id, 'item_photo', item_id, seller_id, 'ready', case when n % 10 = 0 then 'archived' else 'none' end,
        position, 'Seen from the left', 'IMG_' || position || '.jpg', 'image/jpeg', 4800000, sha256, hash12, 'jpeg',
        '1QcSHQRnh493V4dIh4eXh1h4kJUI', '{"gps": false, "comments": 0}', ${VERDICT}, ${VERDICT}, ${ANALYSIS},
        now(), now(), now()
      from seeded`,
    sql`insert into files (id, kind, item_id, owner_id, state, filename, reason_code, reason_message, finished_at)
      select uuidv7(), 'item_photo', ${LISTING}, ${SELLER}, (array['rejected', 'failed', 'taken_down'])[1 + n / 10 % 3],
        'IMG_10.jpg', 'POLICY', 'Refused', now()
      from generate_series(${first}, ${last}) n where n % 10 = 5`,
    sql`with made as (
        insert into variants (file_id, name, format, key, bytes, width, height, sha256, report)
        select id, name, format, 'items/' || name || '/' || item_id || '/' || id || '-' || hash12 || '.' || extension,
          size * (80 + (n + position) % 41) / 100, width, width * 3 / 4, sha256, jsonb_build_object('clean', true,
            'findings', '[]'::jsonb, 'width', width, 'height', width * 3 / 4, 'format', format)
        from seeded, (values ${VARIANTS}) as planned (name, format, extension, size, width)
        returning file_id, name, key, bytes
      )
      insert into objects (key, file_id, state, bytes, storage_class)
      select key, file_id, 'live', bytes, case
          when name <> 'original' then case when n % 5 = 1 then 'INTELLIGENT_TIERING' else 'STANDARD' end
          when n % 10 = 0 then 'GLACIER' when n % 10 < 4 then 'STANDARD_IA' else 'STANDARD' end
      from made join seeded on seeded.id = made.file_id`,
  ];
}

const EACH = sql.lit(PHOTOS_PER_LISTING);
const LISTING = sql`'listing-' || n`;
const SELLER = sql`'seller-' || n / ${sql.lit(LISTINGS_PER_SELLER)}`;
const VERDICT = sql`'{"verdict": "clean", "version": "1", "findings": [], "at": "2026-11-01T00:00:00.000Z"}'`;
const ANALYSIS = sql`'{"nsfw": {"drawing": 0.01, "hentai": 0, "neutral": 0.98, "porn": 0, "sexy": 0.01}, "labels":
  [{"label": "mountain bike", "probability": 0.91}, {"label": "bicycle-built-for-two", "probability": 0.04}]}'`;
const VARIANTS = sql`
  ('original', 'jpeg', 'jpg', 2100000, 4000),
  ('large', 'jpeg', 'jpg', 260000, 1200), ('large', 'webp', 'webp', 190000, 1200),
  ('medium', 'jpeg', 'jpg', 130000, 800), ('medium', 'webp', 'webp', 95000, 800),
  ('thumbnail', 'jpeg', 'jpg', 26000, 300), ('thumbnail', 'webp', 'webp', 19000, 300)`;
