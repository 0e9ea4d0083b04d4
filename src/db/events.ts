import type { Db } from './schema.ts';

/** Removes the history of stages from before then: states stay in the rows. */
export async function trimFileEvents(db: Db, before: Date): Promise<void> {
  await db.deleteFrom('file_events').where('at', '<', before).execute();
}
