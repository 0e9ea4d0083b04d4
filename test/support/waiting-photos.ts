import { transition } from '#src/db/files.ts';
import type { Database } from '#src/db/schema.ts';
import { insertBareFile } from './bare-file.ts';

/** Rows of photos that wait for a moderator, without bytes: for what is about the queue alone. Returns their ids. */
export async function waitingPhotos(db: Database, count: number, ownerId = 'seller-1'): Promise<string[]> {
  const ids: string[] = [];
  for (let made = 0; made < count; made += 1) {
    const { id } = await insertBareFile(db, { ownerId });
    await transition(db, { id, from: 'pending' }, 'received');
    await transition(db, { id, from: 'received' }, 'checking');
    await transition(db, { id, from: 'checking' }, 'in_review');
    ids.push(id);
  }
  return ids;
}
