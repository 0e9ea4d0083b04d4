import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findFile, lockFileAndItem } from '#src/db/files.ts';
import { standingOf } from '#src/db/objects.ts';
import { StorageError } from '#src/domain/errors.ts';
import { fileId } from '#src/domain/ids.ts';
import { objectKey } from '#src/domain/keys.ts';
import { deliverOutbox } from '#src/jobs/deliver-outbox.ts';
import { remove } from '#src/services/removal.ts';
import { createStorageService, type StorageService } from '#src/services/storage.service.ts';
import { ADMIN, startApp, type TestApp } from '#test/support/app.ts';
import { type FaultyStore, faultyStore } from '#test/support/faulty-store.ts';
import { openReplica, readyPhoto, type Replica } from './scrub-harness.ts';

/** Promise 11 on two stores: what is deleted is gone from both, and is read from neither meanwhile. */
let app: TestApp;
let replica: Replica;
let primary: FaultyStore;
let storage: StorageService;
beforeAll(async () => {
  replica = await openReplica();
  app = await startApp();
  primary = faultyStore(app.store);
  storage = createStorageService({
    store: primary,
    replica: { store: replica.store, standingOf: (key) => standingOf(app.db, key) },
    retry: { attempts: 1, baseMs: 1, capMs: 1 },
  });
});
afterAll(async () => {
  await app.close();
  await replica.close();
});

const DOWN = { when: 'before', error: new StorageError('STORAGE_UNAVAILABLE') } as const;
const inReplica = (key: string) =>
  replica.store.head(objectKey(key)).then(
    () => true,
    () => false,
  );

test('a photo is read from the replica while the primary is down, but never once it was deleted', async () => {
  const photo = await readyPhoto(app);
  await replica.replicate(app);
  const key = photo.key('large');
  primary.plan('get', DOWN);
  const { body, servedBy } = await storage.downloadFile(key);
  expect(servedBy).toBe('replica');
  expect((await buffer(body)).length).toBeGreaterThan(1000);

  // Deleted by this service, whose own store has no replica: the replica still has everything.
  await app.files.deletePhoto(ADMIN, fileId(photo.id));
  expect(await inReplica(key)).toBe(true);
  primary.plan('get', DOWN);
  await expect(storage.downloadFile(key)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  primary.plan('head', DOWN);
  await expect(storage.fileInfo(key)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a deletion is not over before the replica has done its part, and is asked for again until then', async () => {
  const photo = await readyPhoto(app);
  await replica.replicate(app);
  // This test delivers by itself, through the service that knows the replica.
  await app.phases.find(({ name }) => name === 'outbox')?.run();
  const deps = { ...app.jobs, storage, queue: app.queue, backups: app.backups };
  replica.store.plan('delete', ...photo.rows.map(() => DOWN));
  await app.db.transaction().execute(async (trx) => {
    const file = await lockFileAndItem(trx, photo.id);
    if (file !== null) await remove(trx, file);
  });
  await deliverOutbox(deps, photo.id);
  for (const { key } of photo.rows) expect(await inReplica(key)).toBe(true);
  expect((await findFile(app.db, fileId(photo.id)))?.state).toBe('deleting');
  await app.db
    .updateTable('outbox')
    .set({ available_at: new Date(0) })
    .where('file_id', '=', photo.id)
    .execute();
  await deliverOutbox(deps, photo.id);
  for (const { key } of photo.rows) expect(await inReplica(key)).toBe(false);
  expect((await findFile(app.db, fileId(photo.id)))?.state).toBe('deleted');
});
