import type { Selectable } from 'kysely';
import type { BannedPicturesTable } from './fingerprint-tables.ts';
import type { Db } from './schema.ts';

export type BannedPictureRow = Selectable<BannedPicturesTable>;

/**
 * Bans the picture of a photo. Null when it is banned already, or when the photo has no fingerprint, or one that nothing could
 * be recognised by.
 */
export async function insertBanned(
  db: Db,
  banned: { fileId: string; reasonCode: string; by: string },
): Promise<number | null> {
  const print = await db
    .selectFrom('fingerprints')
    .select(['hash', 'tokens', 'look'])
    .where('file_id', '=', banned.fileId)
    .executeTakeFirst();
  if (print === undefined || print.tokens.length === 0) return null;
  const row = await db
    .insertInto('banned_pictures')
    .values({ file_id: banned.fileId, reason_code: banned.reasonCode, banned_by: banned.by })
    .onConflict((conflict) => conflict.column('file_id').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (row === undefined) return null;
  await db
    .insertInto('fingerprints')
    .values({ ...print, banned_id: row.id })
    .execute();
  return row.id;
}

/** The photo was looked at again and stays down: the ban may outlive it. */
export async function confirmBanned(db: Db, { fileId, by }: { fileId: string; by: string }): Promise<void> {
  await db
    .updateTable('banned_pictures')
    .set({ confirmed_by: by })
    .where('file_id', '=', fileId)
    .where('confirmed_by', 'is', null)
    .execute();
}

/** Lets the picture of this photo come back. Null when it is not banned. */
export async function deleteBannedOf(db: Db, fileId: string): Promise<BannedPictureRow | null> {
  const row = await db
    .deleteFrom('banned_pictures')
    .where('file_id', '=', fileId)
    .returningAll()
    .executeTakeFirst();
  return row ?? null;
}

/** Newest first. */
export async function listBanned(
  db: Db,
  page: { after?: { at: Date; id: number }; limit: number },
): Promise<BannedPictureRow[]> {
  const { after } = page;
  let query = db.selectFrom('banned_pictures').selectAll();
  if (after !== undefined)
    query = query.where((eb) =>
      eb.or([
        eb('banned_at', '<', after.at),
        eb.and([eb('banned_at', '=', after.at), eb('id', '>', after.id)]),
      ]),
    );
  return query.orderBy('banned_at', 'desc').orderBy('id').limit(page.limit).execute();
}

/** Null when there is none. */
export async function deleteBanned(db: Db, id: number): Promise<BannedPictureRow | null> {
  const row = await db.deleteFrom('banned_pictures').where('id', '=', id).returningAll().executeTakeFirst();
  return row ?? null;
}
