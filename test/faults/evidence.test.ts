import { afterEach, beforeEach, expect, test } from 'vitest';
import { Photo } from '#src/http/schemas.ts';
import type { Db } from '#src/db/schema.ts';
import { evidenceKey, type ObjectKey } from '#src/domain/keys.ts';
import type { Client } from '#test/acceptance/client.ts';
import {
  distinctPhoto,
  expectNoOrphans,
  storedKeys,
  until,
  untilDelivered,
  untilState,
} from '#test/support/app.ts';
import { type CrashingService, crashingService } from './crashing-service.ts';

let faulty: CrashingService;
beforeEach(async () => {
  faulty = await crashingService();
});
afterEach(() => faulty.close());

/** What was claimed by a process that died is claimed again after 30 s. */
const RECOVERY_MS = 90_000;

async function uploadProfile(client: Client, token: string): Promise<string> {
  const { body, filename } = await distinctPhoto();
  const file = { name: filename, type: 'image/jpeg', bytes: body };
  const reply = await client.upload('/v1/users/seller-1/profile-photo', file, { token, method: 'PUT' });
  const { id } = reply.as(Photo);
  await untilState(faulty, id, 'ready');
  return id;
}

async function originalOf(id: string): Promise<{ key: string; copy: ObjectKey }> {
  const { key } = await faulty.db
    .selectFrom('variants')
    .select('key')
    .where('file_id', '=', id)
    .where('name', '=', 'original')
    .executeTakeFirstOrThrow();
  const copy = evidenceKey(key);
  if (copy === null) throw new Error(`Expected ${key} to be a public original`);
  return { key, copy };
}

/** Whoever moves that evidence waits, once it is copied and before anything else, for as long as `work` takes. */
async function afterTheCopy(id: string, copy: ObjectKey, work: (trx: Db) => Promise<void>): Promise<void> {
  await faulty.db.insertInto('objects').values({ key: copy, file_id: id, state: 'writing' }).execute();
  const undone = new Error('undone');
  await faulty.db
    .transaction()
    .execute(async (trx) => {
      await trx
        .insertInto('object_checks')
        .values({ key: copy, etag: null, checked_at: new Date() })
        .execute();
      await work(trx);
      throw undone;
    })
    .catch((error: unknown) => {
      if (error !== undone) throw error;
    });
}

test('kill -9 between the copy of evidence and the end of its public object: after a restart it lies in quarantine alone', async () => {
  const { service, client } = await faulty.start();
  const token = await client.token('seller-1');
  const id = await uploadProfile(client, token);
  const admin = await client.token('admin-1', 'admin');
  await client.call('PUT', `/v1/admin/photos/${id}/hold`, { token: admin, json: { reason: 'Case 4711' } });
  const { key, copy } = await originalOf(id);
  expect((await client.call('GET', `/cdn/${key}`)).status).toBe(200);

  await afterTheCopy(id, copy, async () => {
    await uploadProfile(client, token);
    await until('the copy', async () => ((await storedKeys(faulty)).includes(copy) ? true : null));
    expect(await storedKeys(faulty)).toContain(key);
    expect((await client.call('GET', `/cdn/${key}`)).status).toBe(404);
    await service.kill9();
  });
  expect(await faulty.db.selectFrom('evidence_moves').select('state').execute()).toEqual([
    { state: 'waiting' },
  ]);

  const again = await faulty.start();
  const hold = () =>
    faulty.db.selectFrom('evidence_moves').select('state').where('key', '=', key).executeTakeFirst();
  await until('the move', async () => ((await hold())?.state === 'moved' ? true : null), RECOVERY_MS);
  await untilDelivered(faulty, RECOVERY_MS);
  const kept = (await storedKeys(faulty)).filter((each) => each.includes(id));
  expect(kept).toEqual([copy]);
  expect((await again.client.call('GET', `/cdn/${key}`)).status).toBe(404);
  await expectNoOrphans(faulty);
});
