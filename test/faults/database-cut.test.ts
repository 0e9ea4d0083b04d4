import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { Photo } from '#src/http/schemas.ts';
import type { Client, Reply } from '#test/acceptance/client.ts';
import { distinctPhoto, expectDense, expectNoOrphans, until, untilState } from '#test/support/app.ts';
import type { UploadFile } from '#test/support/hostile.ts';
import { type CrashingService, crashingService } from './crashing-service.ts';

let faulty: CrashingService;
let client: Client;
let token: string;
beforeAll(async () => {
  faulty = await crashingService();
  ({ client } = await faulty.start());
  token = await client.token('seller-1');
});
afterAll(() => faulty.close());

/** A client gives up after so many answers that say "try again". */
const TRIES = 10;

/** Tables that an upload writes to before it is answered; while one is locked its transaction waits there, half done. */
describe.each(['files', 'file_events', 'objects', 'outbox', 'idempotency_keys'])(
  'the connection is cut while a transaction waits to write to %s',
  (table) => {
    test('the upload is told to try again, and ends as one photo with nothing half done', async () => {
      const item = await client.listing(token);
      const file = await newFile();
      const key = randomUUID();
      let first: Promise<Reply> | undefined;
      let cut = 0;
      await faulty.db.transaction().execute(async (trx) => {
        await sql`lock table ${sql.table(table)} in share mode`.execute(trx);
        first = send(item, file, key);
        cut = await cutWhoWaits(table);
      });
      expect(cut, 'connections cut').toBeGreaterThan(0);
      expectToTryAgain(await first);
      await expectOnePhoto(item, file, key);
    });
  },
);

test('an upload whose photo is there when the connection is cut is answered with that photo', async () => {
  const item = await client.listing(token);
  const file = await newFile();
  const key = randomUUID();
  const first = await sendAndCut(item, file, key);
  const [photo] = await photosOf(item);
  expect(photo?.state, 'the photo that the first request has left').not.toBe('pending');
  if (first.status >= 300) expectToTryAgain(first);
  expect((await expectOnePhoto(item, file, key)).id).toBe(photo?.id);
});

async function newFile(): Promise<UploadFile> {
  const { body, filename } = await distinctPhoto();
  return { name: filename, type: 'image/jpeg', bytes: body };
}

function send(item: string, file: UploadFile, key: string): Promise<Reply> {
  const headers = { prefer: 'respond-async', 'idempotency-key': key };
  return client.upload(`/v1/items/${item}/photos`, file, { token, headers });
}

function expectToTryAgain(reply: Reply | undefined): void {
  expect(reply?.status, reply?.body.toString()).toBe(503);
  expect(Number(reply?.headers.get('retry-after')), 'Retry-After').toBeGreaterThan(0);
}

/** Sends until it is taken, as a client does that waits as it is told. */
async function untilTaken(item: string, file: UploadFile, key: string): Promise<z.output<typeof Photo>> {
  for (let left = TRIES; left > 0; left -= 1) {
    const reply = await send(item, file, key);
    if (reply.status < 300) return reply.as(Photo);
    expectToTryAgain(reply);
  }
  throw new Error(`Expected the upload to be taken within ${TRIES} tries`);
}

/** The retry is taken, another one gets the same photo, and the listing has no other. */
async function expectOnePhoto(item: string, file: UploadFile, key: string): Promise<z.output<typeof Photo>> {
  const photo = await untilTaken(item, file, key);
  await untilState(faulty, photo.id, 'ready');
  expect((await untilTaken(item, file, key)).id, 'asked once more').toBe(photo.id);
  expect((await photosOf(item)).map(({ id }) => id)).toEqual([photo.id]);
  await expectDense(faulty, item);
  await expectNoOrphans(faulty);
  return photo;
}

/** Photos of the listing that have a place. */
function photosOf(item: string) {
  return faulty.db
    .selectFrom('files')
    .select(['id', 'state'])
    .where('item_id', '=', item)
    .where('position', 'is not', null)
    .execute();
}

/** Cuts where the request wants to write down that it is answered, once its photo has been taken. */
async function sendAndCut(item: string, file: UploadFile, key: string): Promise<Reply> {
  let sent: Promise<Reply> | undefined;
  await faulty.db.transaction().execute(async (later) => {
    await faulty.db.transaction().execute(async (trx) => {
      await sql`lock table outbox in share mode`.execute(trx);
      sent = send(item, file, key);
      await until('the photo to be about to be taken', async () => (await isTaking()) || null);
      await sql`lock table idempotency_keys in share mode`.execute(later);
    });
    await cutWhoWaits('idempotency_keys');
  });
  if (sent === undefined) throw new Error('Expected the upload to have been sent');
  return sent;
}

/** Whether the upload waits: the dispatcher, which claims rows of the outbox, may wait for the same lock. */
async function isTaking(): Promise<boolean> {
  const { rows } = await sql`
    select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and query ilike '%insert into "outbox"%'
  `.execute(faulty.db);
  return rows.length > 0;
}

/** Cuts the connections that wait for a lock on that table, once one does; resolves to how many those were. */
function cutWhoWaits(table: string): Promise<number> {
  return until('a transaction to wait', async () => {
    const { rows } = await sql`
      select pg_terminate_backend(pid) from pg_locks
      where locktype = 'relation' and relation = ${table}::regclass and not granted
    `.execute(faulty.db);
    return rows.length > 0 ? rows.length : null;
  });
}
