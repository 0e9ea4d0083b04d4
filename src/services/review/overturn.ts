import { lockFileAndItem } from '../../db/files.ts';
import type { Db } from '../../db/schema.ts';
import { backIntoReview } from '../photos/back-into-review.ts';
import type { Prepared } from '../prepared.ts';
import { preparePublication } from '../publication.ts';
import { caseFor, type Ruling } from './note.ts';

/**
 * The second look finds nothing: the photo is published again, the way an upheld appeal is. Dying between the two steps
 * leaves it in review, with its case. Null when it is not taken down any more, or nobody is to look at it.
 */
export async function prepareOverturn(
  { deps, who, file }: Ruling,
  alongside: (trx: Db) => Promise<void>,
): Promise<Prepared | null> {
  const back = await deps.db.transaction().execute(async (trx) => {
    const locked = await lockFileAndItem(trx, file.id);
    if (locked?.state !== 'taken_down' || locked.generation !== file.generation) return null;
    if ((await caseFor(trx, who, file, true)) === null) return null;
    return backIntoReview(trx, locked);
  });
  return back && preparePublication(deps, back, alongside);
}
