import { sql } from 'kysely';
import type { Composition } from '#src/app/compose.ts';
import { lockFile } from '#src/db/files.ts';
import type { Principal } from '#src/domain/access.ts';
import type { ItemId } from '#src/domain/ids.ts';
import { distinctPhoto, newItem, newSeller, untilDelivered, untilState } from './app.ts';

export const ADMIN: Principal = { userId: 'admin-1', roles: ['admin'] };

type Parts = Pick<Composition, 'db'>;

/** A listing with photos that are ready, of a seller of its own. */
export async function listingWithPhotos(
  app: Composition,
  count = 1,
): Promise<{ seller: Principal; item: ItemId; photos: string[] }> {
  const seller = newSeller();
  const item = await newItem(app, seller);
  const photos: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const answer = await app.files.uploadItemPhoto(seller, item, await distinctPhoto(), { waitMs: 20_000 });
    photos.push((await untilState(app, answer.photo.id, 'ready')).id);
  }
  await untilDelivered(app);
  return { seller, item, photos };
}

/** Views have been known for so long that they say something. */
export async function knowViews({ db }: Parts, days = 3_000): Promise<void> {
  await db
    .updateTable('lifecycle_marks')
    .set({ at: daysAgo(days) })
    .where('name', '=', 'views_known_since')
    .execute();
}

/** The listing, its files and their objects, as if all had happened so many days ago. */
export async function ageListing({ db }: Parts, item: ItemId, days: number): Promise<void> {
  await db
    .updateTable('items')
    .set({ last_activity_at: daysAgo(days) })
    .where('id', '=', item)
    .execute();
  const files = await db.selectFrom('files').select('id').where('item_id', '=', item).execute();
  for (const { id } of files) await ageFile({ db }, id, days);
}

export async function ageFile({ db }: Parts, fileId: string, days: number): Promise<void> {
  const at = daysAgo(days);
  await db.transaction().execute(async (trx) => {
    // First, as everybody does: what is delivered meanwhile holds it and wants the objects.
    await lockFile(trx, fileId);
    await trx
      .updateTable('objects')
      .set({ created_at: at, class_since: at })
      .where('file_id', '=', fileId)
      .execute();
    await sql`update files set published_at = ${at}, finished_at = ${at} where id = ${fileId}`.execute(trx);
  });
}

export function daysAgo(days: number): Date {
  return new Date(Date.now() - days * 86_400_000);
}
