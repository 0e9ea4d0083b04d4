import { sql } from 'kysely';
import { type ModerationPolicy, policyVersion } from '../domain/moderation-policy.ts';
import { jsonText } from './json.ts';
import type { Db } from './schema.ts';

/** Keeps a policy, so that verdicts by it can be explained when its file is long another. Returns its version. */
export async function keepPolicy(db: Db, policy: ModerationPolicy): Promise<string> {
  const version = policyVersion(policy);
  await db
    .insertInto('moderation_policies')
    .values({ version, name: policy.name, policy: jsonText(policy) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return version;
}

export async function findPolicy(db: Db, version: string): Promise<ModerationPolicy | null> {
  const row = await db
    .selectFrom('moderation_policies')
    .select('policy')
    .where('version', '=', version)
    .executeTakeFirst();
  return row?.policy ?? null;
}

/** Counts a photo that a detector charged for, to this day (UTC). */
export async function countCharge(db: Db, detector: string): Promise<void> {
  await sql`
    insert into moderation_charges (day, detector, photos)
    values ((now() at time zone 'utc')::date, ${detector}, 1)
    on conflict (day, detector) do update set photos = moderation_charges.photos + 1
  `.execute(db);
}

export interface Charge {
  /** YYYY-MM, UTC. */
  readonly month: string;
  readonly detector: string;
  readonly photos: number;
}

/** What was charged for in this and the months before it, newest first. */
export async function listCharges(db: Db, months: number): Promise<readonly Charge[]> {
  const month = sql<string>`to_char(day, 'YYYY-MM')`;
  return db
    .selectFrom('moderation_charges')
    .select([month.as('month'), 'detector', sql<number>`sum(photos)::bigint`.as('photos')])
    .where(
      'day',
      '>=',
      sql<string>`date_trunc('month', now() at time zone 'utc')::date - make_interval(months => ${months - 1})`,
    )
    .groupBy([month, 'detector'])
    .orderBy(month, 'desc')
    .orderBy('detector')
    .execute();
}
