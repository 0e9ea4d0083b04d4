import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FIRST_BAND } from '#src/domain/fingerprint.ts';
import { landmarkClass } from '#src/domain/turns.ts';
import { createTestDatabase, databaseServers, type TestDatabase } from '#test/support/database.ts';

const LANDMARKS = Array.from({ length: 500 }, (_, at) => (at * 0x9e3779b1) % FIRST_BAND);

describe.each(databaseServers())('on $name', (server) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(server);
  });
  afterAll(() => database.close());

  const indexed = async () =>
    (
      await sql<{ token: number }>`select token from fingerprint_tokens order by token`.execute(database.db)
    ).rows.map(({ token }) => token);

  test('the database puts a landmark into the class that is asked for', async () => {
    const { rows } = await sql<{ found: number[] }>`
      select array(select landmark_class(bits) from unnest(${LANDMARKS}::integer[]) with ordinality as given (bits, place)
        order by place) as found`.execute(database.db);
    expect(rows[0]?.found).toEqual(LANDMARKS.map(landmarkClass));
  });

  test('a fingerprint comes into the index and leaves it with its row, whoever removes that', async () => {
    const tokens = [LANDMARKS[1] ?? 0, LANDMARKS[2] ?? 0, FIRST_BAND + 7];
    await sql`
      with banned as (insert into banned_pictures (reason_code, banned_by) values ('weapon', 'somebody') returning id)
      insert into fingerprints (banned_id, hash, tokens, look)
      select id, repeat('01', 128)::bit(256), ${tokens}::integer[], '' from banned`.execute(database.db);
    expect(await indexed()).toEqual(
      [landmarkClass(tokens[0] ?? 0), landmarkClass(tokens[1] ?? 0), FIRST_BAND + 7].toSorted(
        (a, b) => a - b,
      ),
    );
    await database.db.deleteFrom('banned_pictures').execute();
    expect(await indexed()).toEqual([]);
  });
});
