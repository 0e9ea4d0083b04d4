import { expect } from 'vitest';
import { findFile } from '#src/db/files.ts';
import type { Principal } from '#src/domain/access.ts';
import type { ItemId } from '#src/domain/ids.ts';
import type { StorageClass } from '#src/domain/storage-class.ts';
import { ageListing, listingWithPhotos } from '#test/support/ageing.ts';
import type { TestApp } from '#test/support/app.ts';

/** What earlier tests left is not looked at again. */
export async function wakeListings({ db }: TestApp): Promise<void> {
  await db.updateTable('items').set({ last_activity_at: new Date() }).execute();
}

export async function archiveState({ db }: TestApp, id: string): Promise<string | undefined> {
  return (await findFile(db, id))?.archive;
}

/** The original of a photo, as its row has it. */
export async function originalOf(
  { db }: TestApp,
  id: string,
): Promise<{ key: string; storageClass: StorageClass }> {
  return db
    .selectFrom('variants')
    .innerJoin('objects', 'objects.key', 'variants.key')
    .select(['variants.key as key', 'objects.storage_class as storageClass'])
    .where('variants.file_id', '=', id)
    .where('name', '=', 'original')
    .executeTakeFirstOrThrow();
}

/** A listing whose originals are in the archive. */
export async function archivedListing(
  app: TestApp,
  count = 1,
): Promise<{ seller: Principal; item: ItemId; photos: string[] }> {
  const listing = await listingWithPhotos(app, count);
  await ageListing(app, listing.item, 400);
  await app.lifecycle.archiveOldFiles();
  for (const id of listing.photos) expect(await archiveState(app, id)).toBe('archived');
  return listing;
}
