import { sql } from 'kysely';
import { insertFile } from '#src/db/files.ts';
import { announceObjects, settleObjects } from '#src/db/objects.ts';
import type { Database } from '#src/db/schema.ts';
import { newFileId } from '#src/services/new-id.ts';
import type { BenchPostgres } from './postgres.ts';

export const WRITERS = 50;
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
 * Fifty writers settle the seven objects of one file after another, each in the two transactions of an upload: announce,
 * settle. All files are of one owner: what is counted by owner meets there. Resolves to settled files a second.
 */
export async function writeObjects(server: BenchPostgres, counting: Counting, ms: number): Promise<number> {
  const db = server.open(counting, WRITERS);
  try {
    await Promise.all(Array.from({ length: WRITERS }, () => sql`select pg_sleep(0.2)`.execute(db)));
    const started = performance.now();
    let settled = 0;
    await Promise.all(
      Array.from({ length: WRITERS }, async () => {
        while (performance.now() - started < ms) {
          await settleOne(db);
          settled += 1;
        }
      }),
    );
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
