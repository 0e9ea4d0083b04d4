import type { Selectable } from 'kysely';
import type { AlarmsTable } from './review-tables.ts';
import type { Db } from './schema.ts';

export type AlarmRow = Selectable<AlarmsTable>;

/** What is raised at present under this name; null when nothing is. */
export async function findAlarm(db: Db, name: string): Promise<AlarmRow | null> {
  const row = await db.selectFrom('alarms').selectAll().where('name', '=', name).executeTakeFirst();
  return row ?? null;
}

/** Raises an alarm, or changes what it says; it is raised since it was first. True when it was not raised yet. */
export async function raiseAlarm(
  db: Db,
  alarm: { readonly name: string; readonly problem: string; readonly at: Date },
): Promise<boolean> {
  const changed = await db
    .updateTable('alarms')
    .set({ problem: alarm.problem })
    .where('name', '=', alarm.name)
    .executeTakeFirst();
  if (changed.numUpdatedRows > 0n) return false;
  const { name, problem, at } = alarm;
  const raised = await db
    .insertInto('alarms')
    .values({ name, problem, since: at })
    .onConflict((conflict) => conflict.doNothing())
    .returning('name')
    .executeTakeFirst();
  return raised !== undefined;
}

/** False when it was not raised. */
export async function clearAlarm(db: Db, name: string): Promise<boolean> {
  const cleared = await db.deleteFrom('alarms').where('name', '=', name).executeTakeFirst();
  return cleared.numDeletedRows > 0n;
}
