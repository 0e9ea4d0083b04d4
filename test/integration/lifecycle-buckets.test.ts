import { createHash } from 'node:crypto';
import { GetObjectCommand, HeadObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backupsOf } from '#src/app/object-stores.ts';
import { listEvidenceMoves } from '#src/db/evidence.ts';
import { findFile, lockFileAndItem } from '#src/db/files.ts';
import { placeHold } from '#src/db/holds.ts';
import { setArchive } from '#src/db/lifecycle.ts';
import { standingOf } from '#src/db/objects.ts';
import { readStorage, recountStorage } from '#src/db/rollups.ts';
import type { Database } from '#src/db/schema.ts';
import { evidenceKey } from '#src/domain/keys.ts';
import { advanceRestores } from '#src/jobs/restore-photos.ts';
import { systemClock } from '#src/ports/clock.ts';
import type { ObjectStore } from '#src/ports/object-store.ts';
import { moveEvidence } from '#src/services/evidence/move.ts';
import { createLifecycleService } from '#src/services/lifecycle.service.ts';
import { end } from '#src/services/removal.ts';
import { createStorageService } from '#src/services/storage.service.ts';
import { knowViews } from '#test/support/ageing.ts';
import { until } from '#test/support/app.ts';
import { createTestDatabase, type TestDatabase } from '#test/support/database.ts';
import { makeOldPhotos } from '#test/support/made-photos.ts';
import { cephServer, localStackServer, type S3Server, type TestBucket } from '#test/support/s3-server.ts';
import { openTestStore } from '#test/support/s3-store.ts';
import { silentLog } from '#test/support/silent-log.ts';

/** The lifecycle over a bucket of a real server, days after everything in it was written. */
function onBucketOf(server: S3Server | null, options: Parameters<typeof openTestStore>[1] = {}) {
  let opened: { database: TestDatabase; store: ObjectStore; bucket: TestBucket } | null = null;
  const open = () => {
    if (opened === null) throw new Error('The bucket is not open yet');
    return opened;
  };
  beforeAll(async () => {
    if (server === null) return;
    const database = await createTestDatabase();
    opened = { database, ...(await openTestStore(server, options)) };
    await knowViews(database);
  }, 60_000);
  afterAll(async () => {
    await opened?.store.close();
    await opened?.bucket.close();
    await opened?.database.close();
  });
  return {
    deps: (days = 0) => {
      const { database, store } = open();
      const storage = createStorageService({ store });
      return {
        db: database.db,
        store,
        storage,
        clock: days === 0 ? systemClock : { now: () => new Date(Date.now() + days * 86_400_000) },
        log: silentLog,
        viewsComeFrom: 'edge' as const,
        capabilities: store.capabilities,
        sweepIncomplete: (ms: number) => store.sweepIncomplete(ms),
        deliverNow: async () => undefined,
      };
    },
    /** What a client that is not ours is told of the class. */
    classOf: async (key: string) => {
      const { client, name } = open().bucket;
      return (
        (await client.send(new HeadObjectCommand({ Bucket: name, Key: key }))).StorageClass ?? 'STANDARD'
      );
    },
    /** Versions and delete markers that begin so. */
    versionsOf: async (prefix: string) => {
      const { client, name } = open().bucket;
      const list = new ListObjectVersionsCommand({ Bucket: name, Prefix: prefix });
      const { Versions = [], DeleteMarkers = [] } = await client.send(list);
      return Versions.length + DeleteMarkers.length;
    },
    get: (key: string) => {
      const { client, name } = open().bucket;
      return client.send(new GetObjectCommand({ Bucket: name, Key: key }));
    },
  };
}

const localStack = localStackServer();
describe.skipIf(localStack === null)('in a bucket of LocalStack (TEST_AWS_ENDPOINT)', () => {
  const { deps, classOf, get } = onBucketOf(localStack);

  test('originals are archived, refuse to be read, and are brought back byte for byte', async () => {
    const photos = await makeOldPhotos(deps(), 3, 130_000);
    const lifecycle = createLifecycleService(deps());
    const { rules, refused } = await lifecycle.archiveOldFiles();
    expect(refused).toEqual([]);
    expect(rules['item-originals-archive']).toMatchObject({ done: 3 });
    for (const { id, key } of photos) {
      expect(await classOf(key)).toBe('GLACIER');
      await expect(get(key)).rejects.toMatchObject({ name: 'InvalidObjectState' });
      await expect(deps().storage.downloadFile(key)).rejects.toMatchObject({ code: 'OBJECT_ARCHIVED' });
      await setArchive(deps().db, id, 'archived', 'restoring');
    }
    await until('the originals to be back', async () => {
      await advanceRestores(deps());
      const files = await Promise.all(photos.map(({ id }) => findFile(deps().db, id)));
      return files.every((file) => file?.archive === 'none') ? true : null;
    });
    for (const [index, { key }] of photos.entries()) {
      expect(await classOf(key)).toBe('STANDARD');
      const bytes = await buffer((await deps().storage.downloadFile(key)).body);
      expect(bytes.equals(Buffer.alloc(130_000, index))).toBe(true);
    }
    const { totals } = await readStorage(deps().db, 1);
    expect(totals).toEqual(await recountStorage(deps().db));
    expect(totals).toMatchObject([{ storageClass: 'STANDARD', objects: 3 }]);
  }, 60_000);

  test('an archived original that a legal hold keeps is restored, and leaves for quarantine from there', async () => {
    const [photo] = await makeOldPhotos(deps(), 1, 130_000);
    const { id = '', key = '' } = photo ?? {};
    const { db, storage } = deps();
    const bytes = Buffer.alloc(130_000, 0);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await db.updateTable('variants').set({ sha256 }).where('key', '=', key).execute();
    await createLifecycleService(deps()).archiveOldFiles();
    await takenDownUnderHold(db, id);
    await expect(get(key)).rejects.toMatchObject({ name: 'InvalidObjectState' });
    await until('the move', async () => {
      await db
        .updateTable('evidence_moves')
        .set({ due_at: new Date(0) })
        .execute();
      await moveEvidence({ ...deps(), backups: [] });
      return (await listEvidenceMoves(db, id))[0]?.state === 'moved' ? true : null;
    });
    const evidence = evidenceKey(key) ?? '';
    expect((await buffer((await storage.downloadFile(evidence)).body)).equals(bytes)).toBe(true);
    expect(await classOf(evidence)).toBe('STANDARD');
    // Never into STANDARD at its public key; what is left to be done there waits in the outbox.
    expect(await classOf(key)).toBe('GLACIER');
    expect(await standingOf(db, key)).toBe('gone');
  }, 60_000);
});

/** Its evidence waits to be moved. */
async function takenDownUnderHold(db: Database, id: string): Promise<void> {
  await placeHold(db, { fileId: id, reason: 'Case 4711', placedBy: 'admin-1' });
  await db.transaction().execute(async (trx) => {
    const file = await lockFileAndItem(trx, id);
    if (file !== null) await end(trx, file, 'taken_down', { code: 'CONTENT_REJECTED', message: 'No.' });
  });
}

const ceph = cephServer();
describe.skipIf(ceph === null)('in a bucket with versions of Ceph (TEST_S3_ENDPOINT)', () => {
  const { deps, classOf, versionsOf } = onBucketOf(ceph, {
    versioned: true,
    features: ['storage-classes', 'tags'],
  });

  test('nothing is archived where nothing can be brought back, and what people moved is noted', async () => {
    const [photo] = await makeOldPhotos(deps(), 1);
    const key = photo?.key ?? '';
    const lifecycle = createLifecycleService(deps());
    const { refused } = await lifecycle.archiveOldFiles();
    expect(refused).toMatchObject([{ rules: ['item-originals-archive', 'documents'], code: 'UNSUPPORTED' }]);
    expect(await classOf(key)).toBe('STANDARD');

    await deps().storage.copyFile(key, key, { storageClass: 'STANDARD_IA' });
    expect(await classOf(key)).toBe('STANDARD_IA');
    await lifecycle.optimizeStorage();
    const { totals } = await readStorage(deps().db, 1);
    expect(totals).toMatchObject([
      { prefix: 'items/original', storageClass: 'STANDARD_IA', objects: 1, bytes: 120_000 },
    ]);
    expect(totals).toEqual(await recountStorage(deps().db));
    expect((await findFile(deps().db, photo?.id ?? ''))?.archive).toBe('none');
  }, 60_000);

  test('evidence that was overwritten comes from the version that the bucket keeps', async () => {
    const [photo] = await makeOldPhotos(deps(), 1, 130_000);
    const { id = '', key = '' } = photo ?? {};
    const { db, storage, log, store } = deps();
    const bytes = Buffer.alloc(130_000, 0);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await db.updateTable('variants').set({ sha256 }).where('key', '=', key).execute();
    await storage.uploadFile(Buffer.alloc(100, 7), { key, contentType: 'image/jpeg' });
    await takenDownUnderHold(db, id);
    const evidence = evidenceKey(key) ?? '';
    await moveEvidence({ db, storage, log, backups: backupsOf(store, null) }, id);
    expect(await listEvidenceMoves(db, id)).toMatchObject([{ state: 'moved', error: null }]);
    expect((await buffer((await storage.downloadFile(evidence)).body)).equals(bytes)).toBe(true);
    expect(await standingOf(db, key)).toBe('gone');
    expect(await versionsOf(`quarantine/view/${id}`)).toBe(2);
  }, 60_000);

  test('unused objects go, with all their versions, after their grace; what rows name and others keep stays', async () => {
    const [photo] = await makeOldPhotos(deps(), 1);
    const { storage } = deps();
    const stray = 'items/large/lost/019a8c6e-6c1e-7b57-9d0c-00000000dead-0123456789ab.jpg';
    const theirs = 'audit/anchors/2026-06';
    for (const key of [stray, stray, theirs])
      await storage.uploadFile(Buffer.from('bytes'), { key, contentType: 'image/jpeg' });
    await createLifecycleService(deps(0.5)).optimizeStorage();
    expect(await versionsOf(stray)).toBe(2);
    const { rules } = await createLifecycleService(deps(2)).optimizeStorage();
    expect(rules['reconcile items/']).toMatchObject({ done: 1 });
    expect(await versionsOf(stray)).toBe(0);
    expect((await storage.fileInfo(theirs)).bytes).toBe(5);
    expect((await storage.fileInfo(photo?.key ?? '')).bytes).toBe(120_000);
  }, 60_000);
});
