import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasFingerprint } from '#src/db/fingerprints.ts';
import { listFindings } from '#src/db/review-cases.ts';
import type { Principal } from '#src/domain/access.ts';
import type { FileState } from '#src/domain/file-state.ts';
import { fileId } from '#src/domain/ids.ts';
import { type Alteration, photoToUpload } from '#test/support/altered-photos.ts';
import { MODERATOR, newItem, newSeller, startApp, type TestApp, untilState } from '#test/support/app.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ env: { FIND_COPIES: 'true' } });
});
afterAll(() => app.close());

async function settled(who: Principal, name: string, alteration?: Alteration) {
  const file = await photoToUpload(name, alteration);
  const { photo } = await app.files.uploadItemPhoto(who, await newItem(app, who), file, { waitMs: 0 });
  return untilState(app, photo.id, 'ready', 'in_review', 'rejected');
}

/** More photos with the fingerprint of this one than are compared with a new one, of `owner`, in a state. */
async function crowd(id: string, owner: Principal, state: Extract<FileState, 'pending' | 'checking'>) {
  await sql`
    with made as (
      insert into files (id, kind, owner_id, item_id, filename)
      select gen_random_uuid(), kind, ${owner.userId}, item_id, filename
      from files, generate_series(1, 30) where id = ${id}
      returning id)
    insert into fingerprints (file_id, hash, tokens, look)
    select made.id, hash, tokens, look from made, fingerprints where file_id = ${id}`.execute(app.db);
  if (state === 'pending') return;
  for (const next of ['received', 'checking'] as const)
    await app.db
      .updateTable('files')
      .set({ state: next })
      .where('owner_id', '=', owner.userId)
      .where('state', 'in', ['pending', 'received'])
      .execute();
}

const copiesOf = async (id: string) =>
  ((await listFindings(app.db, [id])).get(id) ?? []).filter(({ label }) => label === 'same_photo_elsewhere');

test('a banned picture is refused, however many photos show it', async () => {
  const first = await settled(newSeller(), 'mountains.jpg');
  await crowd(first.id, newSeller(), 'checking');
  await app.review.decide(MODERATOR, fileId(first.id), { decision: 'takedown', reasonCode: 'weapon' });
  expect((await settled(newSeller(), 'mountains.jpg')).reason_code).toBe('BANNED_IMAGE');
});

test('a photo that was refused as a banned picture leaves no fingerprint', async () => {
  const first = await settled(newSeller(), 'autumn-hill.jpg');
  await app.review.decide(MODERATOR, fileId(first.id), { decision: 'takedown', reasonCode: 'weapon' });
  const again = await settled(newSeller(), 'autumn-hill.jpg');
  expect(again.reason_code).toBe('BANNED_IMAGE');
  expect(await hasFingerprint(app.db, again.id)).toBe(false);
  expect(await hasFingerprint(app.db, first.id)).toBe(true);
});

test('a copy is found, however many photos of the same that nobody may see there are', async () => {
  const hidden = await settled(newSeller(), 'stream.jpg');
  await crowd(hidden.id, newSeller(), 'pending');
  await app.db.deleteFrom('fingerprints').where('file_id', '=', hidden.id).execute();
  const older = await settled(newSeller(), 'stream.jpg', 'JPEG quality 40');
  expect(older.state).toBe('ready');
  const newer = await settled(newSeller(), 'stream.jpg');
  expect((await copiesOf(newer.id)).map(({ details }) => details['fileId'])).toEqual([older.id]);
});

test('a copy is found, however many of the same its seller has uploaded', async () => {
  const [first, second] = [newSeller(), newSeller()];
  const older = await settled(first, 'sunset.jpg');
  const tried = await settled(second, 'sunset.jpg', 'JPEG quality 40');
  await crowd(tried.id, second, 'checking');
  const newer = await settled(second, 'sunset.jpg', 'JPEG quality 40');
  expect(newer.state).toBe('in_review');
  expect((await copiesOf(newer.id)).map(({ details }) => details['fileId'])).toEqual([older.id]);
});
