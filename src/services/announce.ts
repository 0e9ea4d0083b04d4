import { lockFile, type Premise } from '../db/files.ts';
import { announceObjects } from '../db/objects.ts';
import type { Database } from '../db/schema.ts';

/**
 * Names keys before they are written, if the premise still holds: a file that is on its way out gets no new objects, so
 * that what is deleted stays deleted. False when the file has moved on.
 */
export async function announceFor(db: Database, premise: Premise, keys: readonly string[]): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const file = await lockFile(trx, premise.id);
    const states = typeof premise.from === 'string' ? [premise.from] : premise.from;
    if (file === null || !states.includes(file.state)) return false;
    if (premise.generation !== undefined && premise.generation !== file.generation) return false;
    await announceObjects(trx, premise.id, keys);
    return true;
  });
}
