import { sql } from 'kysely';
import { FINDABLE_STATES, type PhotoFacts } from '../domain/photo-document.ts';
import type { Db } from './schema.ts';

/** What a photo's document is made of. */
export interface PhotoFactsRow extends PhotoFacts {
  /** Thumbhash, base64: what its colors are taken from. */
  readonly placeholder: string | null;
}

/** Facts of those of these files that are photos of listings, whatever state they are in. */
export async function readPhotoFacts(db: Db, fileIds: readonly string[]): Promise<PhotoFactsRow[]> {
  if (fileIds.length === 0) return [];
  const { rows } = await sql<PhotoFactsRow>`
    ${FACTS} where f.id = any(${sql.val([...fileIds])}::uuid[]) and f.kind = 'item_photo'
  `.execute(db);
  return rows;
}

/** Facts of photos that belong into an index, in the order of their ids. */
export async function listPhotoFacts(
  db: Db,
  page: { readonly after: string | null; readonly limit: number },
): Promise<PhotoFactsRow[]> {
  const { rows } = await sql<PhotoFactsRow>`
    ${FACTS} where f.kind = 'item_photo' and f.state in (${sql.join([...FINDABLE_STATES])})
      and f.id > ${page.after ?? LEAST_ID}::uuid
    order by f.id limit ${page.limit}
  `.execute(db);
  return rows;
}

/** Photos that belong into an index. */
export async function countFindable(db: Db): Promise<number> {
  const row = await db
    .selectFrom('files')
    .select(sql<number>`count(*)`.as('count'))
    .where('kind', '=', 'item_photo')
    .where('state', 'in', [...FINDABLE_STATES])
    .executeTakeFirstOrThrow();
  return row.count;
}

const LEAST_ID = '00000000-0000-0000-0000-000000000000';

// Of the analysis only the labels: all of it is some kilobytes a photo.
const FACTS = sql`
  select f.id, f.item_id as "itemId", f.owner_id as "ownerId", f.state, f.reason_code as reason,
    i.status as listing, i.deleted_at is not null as "isListingDeleted", i.category, i.title, f.alt,
    coalesce(f.analysis -> 'labels', '[]'::jsonb) as labels, v.format, v.width, v.height,
    f.cover_score as "coverScore", f.published_at as "publishedAt", f.placeholder
  from files f join items i on i.id = f.item_id
    left join lateral (select format, width, height from variants where file_id = f.id and name = 'original' limit 1) v on true`;
