import type { Selectable } from 'kysely';
import type { BannedPicturesTable } from './fingerprint-tables.ts';
import type { Db } from './schema.ts';

export type BannedPictureRow = Selectable<BannedPicturesTable>;

/**
 * Bans the picture of a photo; where that has no fingerprint yet, the ban waits for it (`enforceBan`). Null when it is banned
 * already, or shows nothing that it could be recognised by.
 */
export async function insertBanned(
  db: Db,
  banned: { fileId: string; reasonCode: string; by: string },
): Promise<BannedPictureRow | null> {
  const print = await printOf(db, banned.fileId);
  if (print?.tokens.length === 0) return null;
  const row = await db
    .insertInto('banned_pictures')
    .values({
      file_id: banned.fileId,
      reason_code: banned.reasonCode,
      banned_by: banned.by,
      is_waiting: print === null,
    })
    .onConflict((conflict) => conflict.column('file_id').doNothing())
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) return null;
  if (print !== null) await insertPrint(db, row.id, print);
  return row;
}

/** A ban that waits gets the fingerprint of its photo; one that shows nothing to be recognised by is banned no longer. */
export async function enforceBan(db: Db, fileId: string): Promise<void> {
  const ban = await db
    .updateTable('banned_pictures')
    .set({ is_waiting: false })
    .where('file_id', '=', fileId)
    .where('is_waiting', '=', true)
    .returning('id')
    .executeTakeFirst();
  const print = await printOf(db, fileId);
  if (ban === undefined || print === null) return;
  if (print.tokens.length === 0) await deleteBanned(db, ban.id);
  else await insertPrint(db, ban.id, print);
}

type Print = NonNullable<Awaited<ReturnType<typeof printOf>>>;

async function insertPrint(db: Db, bannedId: number, print: Print): Promise<void> {
  await db
    .insertInto('fingerprints')
    .values({ ...print, banned_id: bannedId })
    .execute();
}

async function printOf(db: Db, fileId: string) {
  const prints = db.selectFrom('fingerprints').select(['hash', 'tokens', 'look']);
  return (await prints.where('file_id', '=', fileId).executeTakeFirst()) ?? null;
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
