import { insertFile } from '#src/db/files.ts';
import { announceObjects } from '#src/db/objects.ts';
import { insertVariants } from '#src/db/variants.ts';
import { sql } from 'kysely';
import { itemId } from '#src/domain/ids.ts';
import type { FileState } from '#src/domain/file-state.ts';
import { documentKey, publicKey, quarantineRawKey, quarantineViewKey, uploadKey } from '#src/domain/keys.ts';
import { newFileId } from '#src/services/new-id.ts';
import type { Database } from '#src/db/schema.ts';
import type { UserId } from '#src/domain/ids.ts';

const HASH = '0123456789ab';

/** A photo in that state, with an object under each kind of key; its original is among its renditions. */
export async function photoIn(
  db: Database,
  owner: UserId,
  state: FileState,
  kind: 'item_photo' | 'verification_document' = 'item_photo',
) {
  const file = newFileId();
  const item = itemId(`item-${file}`);
  const keys = {
    original: publicKey({
      kind: 'item_photo',
      variant: 'original',
      scope: item,
      fileId: file,
      hash12: HASH,
      format: 'jpeg',
    }),
    view: quarantineViewKey(file, HASH, 'jpeg'),
    raw: quarantineRawKey(file),
    upload: uploadKey(file),
    document: documentKey(owner, file),
  };
  await db.insertInto('items').values({ id: item, seller_id: owner, title: 'x' }).execute();
  await insertFile(db, {
    id: file,
    kind,
    itemId: kind === 'item_photo' ? item : null,
    ownerId: owner,
    position: null,
    filename: 'a.jpg',
    claimedType: null,
    claimedBytes: null,
    claimedSha256: null,
    deadlineAt: new Date(Date.now() + 60_000),
  });
  await announceObjects(db, file, Object.values(keys));
  await db.transaction().execute(async (trx) => {
    await sql`alter table files disable trigger files_transition`.execute(trx);
    await trx.updateTable('files').set({ state }).where('id', '=', file).execute();
    await sql`alter table files enable trigger files_transition`.execute(trx);
  });
  if (kind === 'item_photo') await insertVariants(db, file, [original(keys.original)]);
  return { file, ...keys };
}
const original = (at: string) => ({
  key: at,
  bytes: 4,
  variant: {
    name: 'original',
    format: 'jpeg',
    width: 1,
    height: 1,
    sha256: 'ab'.repeat(32),
    report: { clean: true, findings: [], width: 1, height: 1, format: 'jpeg' },
  } as const,
});
