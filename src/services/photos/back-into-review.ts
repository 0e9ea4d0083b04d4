import { nextGeneration, transition } from '../../db/files.ts';
import { bumpPhotosVersion } from '../../db/items.ts';
import { nextPosition } from '../../db/positions.ts';
import type { Db, FileRow } from '../../db/schema.ts';

/** A photo that was refused or taken down is looked at again: it has a place in its listing, a case in the queue. */
export async function backIntoReview(trx: Db, file: FileRow): Promise<FileRow | null> {
  await nextGeneration(trx, file.id);
  const position = file.item_id === null ? null : await nextPosition(trx, file.item_id);
  if (file.item_id !== null) await bumpPhotosVersion(trx, file.item_id);
  return transition(trx, { id: file.id, from: file.state }, 'in_review', { position, finished_at: null });
}
