import { sql } from 'kysely';
import { v7 } from 'uuid';
import { transition } from '#src/db/files.ts';
import { insertItem } from '#src/db/items.ts';
import type { Database } from '#src/db/schema.ts';

/** Rows of a listing with photos that are ready, without bytes: for what is about rows alone. Returns the ids of the photos. */
export async function readyPhotos(db: Database, itemId: string, count: number): Promise<string[]> {
  await insertItem(db, { id: itemId, sellerId: 'seller-1', title: `Listing ${itemId}`, category: 'things' });
  const ids = Array.from({ length: count }, () => v7());
  await sql`
    insert into files (id, kind, item_id, owner_id, filename, position, placeholder)
    select id::uuid, 'item_photo', ${itemId}, 'seller-1', 'x.jpg', place - 1, '1QcSHQRnh493V4dIh4eXh1h4kJUI'
    from unnest(${sql.val(ids)}::text[]) with ordinality given (id, place)`.execute(db);
  await sql`
    insert into variants (file_id, name, format, key, bytes, width, height, sha256, report)
    select id::uuid, 'original', 'jpeg', 'items/original/' || id, 1, 1600, 1200, '', '{}'
    from unnest(${sql.val(ids)}::text[]) id`.execute(db);
  for (const id of ids) for (const [from, to] of STEPS) await transition(db, { id, from }, to);
  return ids;
}

const STEPS = [
  ['pending', 'received'],
  ['received', 'checking'],
  ['checking', 'published'],
  ['published', 'ready'],
] as const;
