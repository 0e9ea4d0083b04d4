import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '#src/db/schema.ts';
import { insertFile, transition } from '#src/db/files.ts';
import { insertItem } from '#src/db/items.ts';
import { announceObjects, settleObjects } from '#src/db/objects.ts';
import { insertVariants } from '#src/db/variants.ts';
import { fileId, type ItemId, itemId } from '#src/domain/ids.ts';
import { publicKey } from '#src/domain/keys.ts';
import type { StorageService } from '#src/services/storage.service.ts';
import { daysAgo } from './ageing.ts';

export interface MadePhoto {
  readonly id: string;
  readonly item: ItemId;
  /** Of its original. */
  readonly key: string;
}

/** Photos that are ready, with an original each, made without the pipeline: many in little time. All of them long ago. */
export async function makeOldPhotos(
  { db, storage }: { db: Database; storage: Pick<StorageService, 'uploadFile'> },
  count: number,
  bytes = 120_000,
): Promise<MadePhoto[]> {
  const made: MadePhoto[] = [];
  for (let index = 0; index < count; index += 1) {
    const id = randomUUID();
    const item = itemId(`made-${id}`);
    const key = publicKey({
      kind: 'item_photo',
      scope: item,
      variant: 'original',
      fileId: fileId(id),
      hash12: '0123456789ab',
      format: 'jpeg',
    });
    await insertItem(db, { id: item, sellerId: 'maker', title: 'Made', category: null });
    await storage.uploadFile(Buffer.alloc(bytes, index), { key, contentType: 'image/jpeg' });
    await db.transaction().execute(async (trx) => {
      await insertFile(trx, {
        id,
        kind: 'item_photo',
        itemId: item,
        ownerId: 'maker',
        position: 0,
        filename: 'made.jpg',
        claimedType: null,
        claimedBytes: bytes,
        claimedSha256: null,
        deadlineAt: new Date(),
      });
      for (const [from, to] of [
        ['pending', 'received'],
        ['received', 'checking'],
        ['checking', 'published'],
        ['published', 'ready'],
      ] as const)
        await transition(trx, { id, from }, to, { deadline_at: null, stage: null });
      await announceObjects(trx, id, [key]);
      await insertVariants(trx, id, [
        {
          key,
          bytes,
          variant: {
            name: 'original',
            format: 'jpeg',
            width: 4000,
            height: 3000,
            sha256: '00',
            report: { clean: true, findings: [], width: 4000, height: 3000, format: 'jpeg' },
          },
        },
      ]);
      await settleObjects(trx, [key]);
    });
    made.push({ id, item, key });
  }
  const at = daysAgo(500);
  await sql`update objects set created_at = ${at}, class_since = ${at}`.execute(db);
  await db.updateTable('items').set({ last_activity_at: at }).execute();
  return made;
}
