import { recordAccess } from '../../db/access-log.ts';
import { deleteBannedOf, insertBanned } from '../../db/banned-pictures.ts';
import type { Db } from '../../db/schema.ts';

/**
 * Keeps the picture of a photo that is taken down from being uploaded again, by anybody. For reasons that lie in the picture
 * itself only: never for theft or private data, whose victim may use it. In the transaction of the take-down; lifted by the
 * database when the photo is published again, or deleted before a second look has confirmed it. The ledger says whether the ban
 * is in force at once, waits for a fingerprint, or is none because there is nothing that the picture could be recognised by.
 */
export async function banPicture(
  db: Db,
  ban: { fileId: string; reasonCode: string; by: string },
): Promise<void> {
  const made = await insertBanned(db, ban);
  await recordAccess(db, {
    userId: ban.by,
    action: 'picture.ban',
    fileId: ban.fileId,
    details: {
      bannedId: made?.id ?? null,
      reasonCode: ban.reasonCode,
      isInForce: made?.is_waiting === false,
    },
  });
}

/** The photo stays down for a reason that bans nothing: the picture may come back. */
export async function liftBan(db: Db, { fileId, by }: { fileId: string; by: string }): Promise<void> {
  const lifted = await deleteBannedOf(db, fileId);
  if (lifted === null) return;
  const details = { bannedId: lifted.id, reasonCode: lifted.reason_code };
  await recordAccess(db, { userId: by, action: 'picture.unban', fileId, details });
}
