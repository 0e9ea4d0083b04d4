import { sql } from 'kysely';
import { insertFile } from '#src/db/files.ts';
import { announceObjects, settleObjects } from '#src/db/objects.ts';
import type { Database } from '#src/db/schema.ts';
import { newFileId } from '#src/services/new-id.ts';
import { inParallel } from './client.ts';
import type { BenchPostgres } from './postgres.ts';

const OBJECTS = 7;

/** How the sizes of objects are counted while they are written. */
export const COUNTING = ['none', 'deltas', 'one_row'] as const;
export type Counting = (typeof COUNTING)[number];

/** Makes the database that this way of counting is measured on. `one_row` is what the counters must not be. */
export async function prepareWriting(server: BenchPostgres, counting: Counting): Promise<void> {
  await server.create(counting);
  if (counting === 'deltas') return;
  const db = server.open(counting, 1);
  for (const event of ['insert', 'update', 'delete'])
    await sql`drop trigger ${sql.ref(`objects_count_on_${event}`)} on objects`.execute(db);
  if (counting === 'one_row') for (const statement of ONE_ROW) await sql.raw(statement).execute(db);
  await db.destroy();
}

/**
 * Each writer settles the seven objects of one file after another, in the two transactions of an upload: announce, settle.
 * All files are of one owner: what is counted by owner meets there. Resolves to settled files a second.
 */
export async function writeObjects(
  server: BenchPostgres,
  { counting, writers, ms }: { counting: Counting; writers: number; ms: number },
): Promise<number> {
  const db = server.open(counting, writers);
  try {
    // Each connection plans what its triggers do the first time.
    await inParallel(writers * 4, writers, () => settleOne(db));
    const started = performance.now();
    let settled = 0;
    await inParallel(writers, writers, async () => {
      for (; performance.now() - started < ms; settled += 1) await settleOne(db);
    });
    return settled / ((performance.now() - started) / 1000);
  } finally {
    await db.destroy();
  }
}

async function settleOne(db: Database): Promise<void> {
  const id = newFileId();
  const keys = Array.from(
    { length: OBJECTS },
    (_, index) => `items/v${index}/listing/${id}-0123456789ab.jpg`,
  );
  await db.transaction().execute(async (trx) => {
    await insertFile(trx, {
      id,
      kind: 'profile_photo',
      itemId: null,
      ownerId: 'seller',
      position: null,
      filename: 'a.jpg',
      claimedType: null,
      claimedBytes: null,
      claimedSha256: null,
      deadlineAt: new Date(),
    });
    await announceObjects(trx, id, keys);
  });
  await db
    .transaction()
    .execute((trx) =>
      settleObjects(trx, keys, Object.fromEntries(keys.map((key, index) => [key, 100_000 + index]))),
    );
}

const ONE_ROW = [
  `create table counted (objects bigint not null, bytes bigint not null)`,
  `insert into counted values (0, 0)`,
  `create function count_in_one_row() returns trigger language plpgsql as $$
   begin
     update counted set objects = counted.objects + changed.objects, bytes = counted.bytes + changed.bytes
     from (select count(*) as objects, coalesce(sum(bytes), 0) as bytes from new_rows where state = 'live') changed;
     return null;
   end $$`,
  `create trigger objects_one_row after update on objects referencing new table as new_rows
     for each statement execute function count_in_one_row()`,
];
